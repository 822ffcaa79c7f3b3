"""What is measured on held-out images: retrieval both ways, beside its chance, image by image."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.csv_text import csv_text
from cinelex.core.distributed import gather_rows, is_main, rank, world_size
from cinelex.core.files import write_whole
from cinelex.data.images.dataset import CaptionedImages
from cinelex.losses.contrastive import info_nce_from_logits
from cinelex.losses.pairs import Pairs
from cinelex.metrics.floors import beside_floors
from cinelex.metrics.image_retrieval import (
    DIRECTIONS,
    Outcomes,
    image_retrieval_report,
    rank_images_and_captions,
)
from cinelex.metrics.ranking import Ranking
from cinelex.metrics.representation import mean_off_diagonal_cosine, rankme
from cinelex.models.video_text import VideoText
from cinelex.projects.clipse.data import ClipseData
from cinelex.projects.clipse.splits import split_tables
from cinelex.projects.clipse.terms import PLAIN, TERMS
from cinelex.projects.interface.results import Group, Results, headline
from cinelex.projects.studies.encoding import encode_studies, encode_texts
from cinelex.projects.studies.evaluation import FLOORS
from cinelex.projects.studies.measures import RETRIEVAL, flat_numbers, scores_of

TITLES = {"image_to_text": "Image to text", "text_to_image": "Text to image", "both": "Both ways"}
VALIDATED = ("recall_at_1", "median_rank")


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
    texts = list(dataset.texts())
    own = texts[len(texts) * rank() // world_size() : len(texts) * (rank() + 1) // world_size()]
    pad_id = dataset.tokenizer.pad_id
    captions = encode_texts(model, own, pad_id=pad_id, kept=dataset.kept_texts, batch=batch)
    return EncodedImages(
        image=encode_studies(model, dataset, batch=batch),
        caption=gather_rows(captions),
        owner=torch.from_numpy(dataset.caption_owners()),
    )


def clipse_results(
    encoded: EncodedImages,
    outcomes: Outcomes,
    floors: Mapping[str, Outcomes],
    *,
    data: ClipseData,
    resamples: int,
    seed: int,
    losses: Group,
) -> Results:
    """Return retrieval in both directions beside its floors, losses, and what shows a collapse.

    Args:
        encoded: The held-out images and captions.
        outcomes: How they find one another.
        floors: The same of what is not trained.
        data: The images of the run, of which one patient's are drawn together.
        resamples: Bootstrap resamples of the patients.
        seed: The same seed gives the same intervals.
        losses: The held-out losses.
    """
    patients = data.test.patient_groups
    count = len(np.unique(patients))
    named = count < len(patients)
    what = f"{count} patients" if named else "images"
    drawing: Any = {"resamples": resamples, "seed": seed, "groups": patients if named else None}
    report: dict[str, Any] = dict(image_retrieval_report(outcomes, **drawing))
    for name in DIRECTIONS:
        report[name] = beside_floors(
            report[name],
            outcomes.per_image(name),
            {floor: found.per_image(name) for floor, found in floors.items()},
            weights=outcomes.queries_per_image(name),
            **drawing,
        )
    rankings = outcomes.rankings
    groups = [
        Group(
            title=TITLES[name],
            note=_note(rankings[name], what)
            if name in rankings
            else f"R@1, R@5 and R@10 of both directions added up; intervals resample {what}.",
            scores=scores_of(RETRIEVAL, entries, at=f"retrieval.{name}"),
        )
        for name, entries in report.items()
    ]
    counts = {f"retrieval.gallery.{name}": one.gallery for name, one in rankings.items()}
    counts |= {f"retrieval.queries.{name}": one.queries for name, one in rankings.items()}
    groups += [losses, _geometry(encoded)]
    return Results(groups=groups, counts=counts, tables=split_tables(data))


def validation_numbers(
    encoded: EncodedImages, *, temperature: float, batch: int
) -> Mapping[str, float]:
    """Return a few numbers beside their chance; no intervals, so that it is cheap."""
    report = image_retrieval_report(encoded.outcomes(), resamples=1)
    numbers = flat_numbers(report, DIRECTIONS, VALIDATED)
    if len(encoded.image) > 1:
        loss, chance = held_out_loss(encoded, temperature=temperature, batch=batch)
        numbers |= {f"losses/{PLAIN}": loss, f"losses/{PLAIN}/chance": chance}
    return numbers


def held_out_loss(encoded: EncodedImages, *, temperature: float, batch: int) -> tuple[float, float]:
    """Return plain InfoNCE over whole batches of images and their first captions, and its chance.

    Images that fill no batch are left out; a split smaller than a batch is one batch.
    """
    captions = encoded.caption[np.unique(encoded.owner.numpy(), return_index=True)[1]]
    batch = min(batch, len(encoded.image))
    losses = []
    for start in range(0, len(encoded.image) - batch + 1, batch):
        some = slice(start, start + batch)
        logits = encoded.image[some] @ captions[some].T / temperature
        own = torch.eye(batch, dtype=torch.bool)
        pairs = Pairs(positive=own, excluded=torch.zeros_like(own))
        losses.append(float(info_nce_from_logits(logits, pairs, form="out")))
    return fmean(losses), math.log(batch)


def loss_group(encoded: EncodedImages, *, temperature: float, batch: int) -> Group:
    """Return the loss on held-out images, beside its chance."""
    term, score = TERMS[PLAIN], []
    if len(encoded.image) > 1:  # a single image has nothing to be told from
        loss, chance = held_out_loss(encoded, temperature=temperature, batch=batch)
        name, about = f"losses.{PLAIN}", {"unit": term.unit, "better": term.better}
        score = [headline(name, term.label, loss, {"chance": chance}, **about)]
    note = f"Over whole batches of {min(batch, len(encoded.image))} held-out images."
    return Group(title="Held-out losses", note=note, scores=score)


def keep_outcomes(path: Path, dataset: CaptionedImages, outcomes: Outcomes) -> None:
    """Write a row an image: its patient by a number, its rank, and those of its captions.

    Tests of runs are paired by them.
    """
    if not is_main():
        return
    ranks: list[list[int]] = [[] for _ in dataset.images]
    found = outcomes.rankings["text_to_image"].best.tolist()
    for owner, rank_of_own in zip(outcomes.owner.tolist(), found, strict=True):
        ranks[owner].append(rank_of_own)
    best, patients = (
        outcomes.rankings["image_to_text"].best.tolist(),
        dataset.patient_groups.tolist(),
    )
    rows = [
        (image.id, own, first, " ".join(map(str, others)))
        for image, own, first, others in zip(dataset.images, patients, best, ranks, strict=True)
    ]
    head = ("image_id", "patient", "image_to_text_rank", "text_to_image_ranks")
    write_whole(path, csv_text([head, *rows]))


def _geometry(encoded: EncodedImages) -> Group:
    """Return what shows a collapse, beside what collapsed and random rows score."""
    own = encoded.image[encoded.owner]
    positive = float((own * encoded.caption).sum(1).mean())
    other = float((encoded.image @ encoded.caption.mean(0)).mean())
    found = {"own_pair_cosine": ("mean cosine of own pairs", positive, {"all_pairs": other})}
    for name, table in (("image", encoded.image), ("caption", encoded.caption)):
        if len(table) > 1:
            cosine, most = mean_off_diagonal_cosine(table), float(min(table.shape))
            label = f"mean cosine of two {name}s"
            found[f"{name}_cosine"] = (label, cosine, {"collapsed": 1.0, "random": 0.0})
            label = f"RankMe of {name}s"
            found[f"{name}_rankme"] = (label, rankme(table), {"collapsed": 1.0, "random": most})
    scores = [headline(f"representation.{name}", *about) for name, about in found.items()]
    return Group(title="Geometry", note="Unit rows of the held-out split.", scores=scores)


def _note(ranking: Ranking, what: str) -> str:
    return (
        f"{ranking.queries} queries in a gallery of {ranking.gallery}; chance is a random order; "
        f"ties count against; intervals resample {what}; {FLOORS}."
    )
