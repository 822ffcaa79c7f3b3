"""What is measured on held-out images: retrieval both ways, beside its chance, image by image."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.distributed import gather_rows, is_main, rank, world_size
from cinelex.core.files import write_whole
from cinelex.data.images.dataset import CaptionedImages
from cinelex.data.loader import evaluation_batches
from cinelex.metrics.image_retrieval import (
    DIRECTIONS,
    Outcomes,
    image_retrieval_report,
    rank_images_and_captions,
)
from cinelex.metrics.representation import mean_off_diagonal_cosine, rankme
from cinelex.models.video_text import VideoText
from cinelex.projects.rows import Row, Table
from cinelex.projects.studies.encoding import device_of, encode_batch

TITLES = {"image_to_text": "Image to text", "text_to_image": "Text to image", "both": "Both ways"}
LABELS = {
    "recall_at_1": "R@1, share",
    "recall_at_5": "R@5, share",
    "recall_at_10": "R@10, share",
    "median_rank": "median rank",
    "mean_rank": "mean rank",
    "ap_at_10": "AP@10",
    "rsum": "RSUM, sum of six recalls in %",
}
LOWER_IS_BETTER = ("median_rank", "mean_rank")


@dataclass(frozen=True)
class EncodedImages:
    """The images and captions of a split, in the data set's order; on the CPU."""

    image: Float[Tensor, "image dim"]
    """Unit rows."""
    caption: Float[Tensor, "caption dim"]
    """Unit rows."""
    owner: Int[Tensor, " caption"]
    """The image of each caption."""

    def outcomes(self) -> Outcomes:
        """Rank both ways."""
        return rank_images_and_captions(self.image, self.caption, self.owner)


@torch.no_grad()
def encode_images(model: VideoText, dataset: CaptionedImages, *, batch: int) -> EncodedImages:
    """Encode every image and every caption; every rank encodes its share and gets all.

    Args:
        model: The trained module, in evaluation mode.
        dataset: The images.
        batch: Images, or captions, at once; the result does not depend on it.
    """
    device = device_of(model)
    images = [
        encode_batch(model, some.to(device)).study.cpu()
        for some in evaluation_batches(dataset, batch=batch)
    ]
    token_ids = [torch.from_numpy(text) for captions in dataset.captions for text in captions]
    own = token_ids[
        len(token_ids) * rank() // world_size() : len(token_ids) * (rank() + 1) // world_size()
    ]
    captions = []
    pad = dataset.tokenizer.pad_id
    for start in range(0, len(own), batch):
        padded = nn.utils.rnn.pad_sequence(
            own[start : start + batch], batch_first=True, padding_value=pad
        ).to(device)
        captions.append(model.encode_report(padded, padded != pad).report.cpu())
    empty = torch.zeros(0, model.dim)
    return EncodedImages(
        image=gather_rows(torch.cat([empty, *images])),
        caption=gather_rows(torch.cat([empty, *captions])),
        owner=torch.from_numpy(dataset.caption_owners()),
    )


def clipse_results(encoded: EncodedImages, *, resamples: int, seed: int) -> dict[str, Any]:
    """Return the ``retrieval`` and ``tables`` parts of results.json."""
    outcomes = encoded.outcomes()
    report = image_retrieval_report(outcomes, resamples=resamples, seed=seed)
    galleries = {name: outcomes.rankings[name].gallery for name in DIRECTIONS}
    queries = {name: outcomes.rankings[name].queries for name in DIRECTIONS}
    tables = [
        Table(
            title=TITLES[name],
            note=_note(name, queries, galleries),
            rows=[
                Row(
                    label=LABELS[metric],
                    value=entry["value"],
                    nulls={"chance": entry["chance"]},
                    low=entry["low"],
                    high=entry["high"],
                    better="lower" if metric in LOWER_IS_BETTER else "higher",
                )
                for metric, entry in entries.items()
            ],
        )
        for name, entries in report.items()
    ]
    geometry = _geometry(encoded)
    return {
        "retrieval": {**report, "gallery": galleries, "queries": queries},
        "tables": [table.as_json() for table in (*tables, geometry)],
    }


def validation_numbers(encoded: EncodedImages) -> Mapping[str, float]:
    """Return a few numbers beside their chance; no intervals, so that it is cheap."""
    report = image_retrieval_report(encoded.outcomes(), resamples=1)
    numbers: dict[str, float] = {}
    for direction, metrics in (*((d, ("recall_at_1", "median_rank")) for d in DIRECTIONS),):
        for metric in metrics:
            entry = report[direction][metric]
            assert entry["value"] is not None
            assert entry["chance"] is not None
            numbers[f"retrieval/{direction}/{metric}"] = entry["value"]
            numbers[f"retrieval/{direction}/{metric}/chance"] = entry["chance"]
    return numbers


def keep_outcomes(path: Path, dataset: CaptionedImages, outcomes: Outcomes) -> None:
    """Write a row an image: its rank, and those of its captions, for paired tests of runs."""
    if not is_main():
        return
    ranks: list[list[int]] = [[] for _ in dataset.images]
    found = outcomes.rankings["text_to_image"].best.tolist()
    for owner, place in zip(outcomes.owner.tolist(), found, strict=True):
        ranks[owner].append(place)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("image_id", "image_to_text_rank", "text_to_image_ranks"))
    best = outcomes.rankings["image_to_text"].best.tolist()
    for image, place, others in zip(dataset.images, best, ranks, strict=True):
        writer.writerow((image.id, place, " ".join(map(str, others))))
    write_whole(path, table.getvalue())


def _geometry(encoded: EncodedImages) -> Table:
    """Return what shows a collapse, beside what collapsed and random rows score."""
    own = encoded.image[encoded.owner]
    positive = float((own * encoded.caption).sum(1).mean())
    other = float((encoded.image @ encoded.caption.mean(0)).mean())
    rows = [
        Row(label="mean cosine of own pairs", value=positive, nulls={"all pairs": other}),
    ]
    for name, table in (("image", encoded.image), ("caption", encoded.caption)):
        if len(table) > 1:
            nulls = {"collapsed": 1.0, "random": 0.0}
            cosine = mean_off_diagonal_cosine(table)
            rows.append(Row(label=f"mean cosine of two {name}s", value=cosine, nulls=nulls))
            most = {"collapsed": 1.0, "random": float(min(table.shape))}
            rows.append(Row(label=f"RankMe of {name}s", value=rankme(table), nulls=most))
    return Table(title="Geometry", note="Unit rows of the held-out split.", rows=rows)


def _note(name: str, queries: Mapping[str, int], galleries: Mapping[str, int]) -> str:
    if name == "both":
        return "R@1, R@5 and R@10 of both directions added up; intervals resample images."
    return (
        f"{queries[name]} queries in a gallery of {galleries[name]}; chance is a random order; "
        "ties count against; intervals resample images."
    )
