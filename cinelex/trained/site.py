"""A trained model on the studies of a site that it has never seen, beside its nulls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cinelex.config.data_schema import ColumnsConfig
from cinelex.core.errors import UserError
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import decoded
from cinelex.data.studies.studies import Studies
from cinelex.data.video.ingest import ingest
from cinelex.data.video.videos import StoredVideos
from cinelex.metrics.baselines import shuffled
from cinelex.metrics.captions import caption_report
from cinelex.metrics.floors import beside_floors
from cinelex.metrics.retrieval import (
    groups_both_ways,
    rank_both_ways,
    retrieval_report,
    scores_per_query,
)
from cinelex.projects.interface.results import Group, Results
from cinelex.projects.studies.evaluation import DIRECTIONS
from cinelex.projects.studies.manifests import columns_of, left_out, read_manifest
from cinelex.projects.studies.measures import CAPTIONING, RETRIEVAL, scores_of
from cinelex.projects.studies.stored import ingest_settings, prepared, sampling_of
from cinelex.trained.held_out import unique_reports
from cinelex.trained.run import TrainedRun

FEWEST = 2
"""Studies with different reports: below, nothing can be found among others."""


def read_site(
    run: TrainedRun, manifest: Path, columns: ColumnsConfig, *, cache: Path
) -> tuple[StudyDataset, dict[str, int]]:
    """Return every study of a manifest that has a report and a video, decoded as the run reads it.

    How many of the others there are stands beside it, by why they are left out.

    Raises:
        UserError: The manifest cannot be read, or fewer than two reports are left.
    """
    named = columns.model_copy(update={"split": None, "subgroups": []})
    data = run.config.data.model_copy(update={"columns": named, "cache": cache})
    found = read_manifest(data, manifest, columns_of(data))
    store = ingest(
        found.studies.video_names,
        root=found.video_root,
        cache=cache / "frames",
        settings=ingest_settings(data, stored_frames=data.stored_frames),
        source=prepared(data, found),
    )
    kept = decoded(found.studies, store)
    if len(set(kept.studies.reports)) < FEWEST:
        raise UserError(
            f"{len(kept.studies)} of {len(found.studies)} studies have a video that can be read; "
            f"an evaluation needs {FEWEST} different reports"
        )
    dataset = _dataset(run, kept.studies, kept.store)
    ordered = _dataset(run, kept.studies.take(_by_content(dataset)), kept.store)
    return ordered, left_out(found, kept.studies)


def _dataset(run: TrainedRun, studies: Studies, store: StoredVideos) -> StudyDataset:
    data = run.config.data
    return StudyDataset(
        studies,
        store,
        run.tokenizer,
        sampling=sampling_of(data),
        max_videos=data.max_videos,
        seed=run.config.seed,
    )


def _by_content(studies: StudyDataset) -> list[int]:
    """Return the studies in an order that neither the rows of a manifest nor its ids decide.

    Pseudonyms differ from data set to data set, and with the order nulls and intervals would.
    """

    def content(place: int) -> tuple[str, str]:
        clips = studies.sample(place, epoch=None).clips
        return reports[place], sha256(clips.numpy().tobytes()).hexdigest()

    reports = studies.studies.reports
    return sorted(range(len(studies)), key=content)


def evaluate_site(run: TrainedRun, studies: StudyDataset, *, bundle: str) -> Results:
    """Return retrieval, and captions where there is a decoder, each beside its nulls.

    What comes out are numbers: no text, no path and no id.
    """
    seen = _encoded(run, studies, blank=False)
    blank = _encoded(run, studies, blank=True)
    groups = _retrieval(run, studies, seen, blank)
    if seen.captions is not None and blank.captions is not None:
        groups.append(_captions(run, studies, seen.captions, blank.captions))
    counts = {
        "studies": len(studies),
        "patients": len(set(studies.patient_groups.tolist())),
        "videos": int(studies.studies.video_counts.sum()),
        "reports": len(set(studies.studies.reports)),
    }
    return Results(
        groups=groups, counts=counts, provenance={"bundle": bundle, "cinelex": version("cinelex")}
    )


@dataclass(frozen=True)
class _Encoded:
    """What a model says of all studies."""

    study: Tensor
    report: Tensor
    captions: list[str] | None


def _encoded(run: TrainedRun, studies: StudyDataset, *, blank: bool) -> _Encoded:
    """Return rows and captions; with ``blank`` every pixel is black."""
    study, report, captions = [], [], list[str]()
    for part in evaluation_batches(studies, batch=run.config.evaluation.batch):
        clips = torch.zeros_like(part.clips) if blank else part.clips
        by_study = list(clips.split(list(part.clip_counts)))
        study.append(run.engine.studies(by_study))
        mask = part.token_ids != run.tokenizer.pad_id
        report.append(run.engine.reports(part.token_ids, mask))
        if run.model.caption_decoder is not None:
            captions += run.captions_of(by_study)
    told = None if run.model.caption_decoder is None else captions
    return _Encoded(torch.cat(study), torch.cat(report), told)


def _retrieval(
    run: TrainedRun, studies: StudyDataset, seen: _Encoded, blank: _Encoded
) -> list[Group]:
    settings, seed = run.config.evaluation, run.config.seed
    _, first, own = unique_reports(torch.as_tensor(studies.report_groups))
    reports = seen.report[first]
    ranks = rank_both_ways(seen.study, reports, own)
    # what a model finds by the gallery alone, and what it finds with the video of somebody else
    others = {"blank_video": blank.study, "another_studys_video": seen.study.roll(1, 0)}
    nulls = {name: rank_both_ways(rows, reports, own) for name, rows in others.items()}
    report: Mapping[str, Any] = retrieval_report(
        seen.study,
        reports,
        own,
        rankings=ranks,
        groups=studies.patient_groups,
        resamples=settings.bootstrap,
        seed=seed,
    )
    groups, owners = [], groups_both_ways(studies.patient_groups, own.numpy())
    for name, title in DIRECTIONS.items():
        entries = beside_floors(
            report[name],
            scores_per_query(ranks[name]),
            {null: scores_per_query(found[name]) for null, found in nulls.items()},
            groups=owners[name],
            resamples=settings.bootstrap,
            seed=seed,
        )
        note = (
            f"{report['queries'][name]} queries, gallery of {report['gallery'][name]}. Beside it "
            "chance, every pixel black, and the videos of another study; intervals resample "
            "patients"
        )
        scores = scores_of(RETRIEVAL, entries, at=f"retrieval.{name}")
        groups.append(Group(title=title, note=note, scores=scores))
    return groups


def _captions(
    run: TrainedRun, studies: StudyDataset, seen: Sequence[str], blank: Sequence[str]
) -> Group:
    settings, seed = run.config.evaluation, run.config.seed
    nulls = {"shuffled": shuffled(list(seen), seed=seed), "blank_video": list(blank)}
    report = caption_report(
        studies.studies.reports,
        seen,
        nulls,
        facts=settings.facts,
        groups=studies.patient_groups,
        resamples=settings.bootstrap,
        seed=seed,
    )
    scores = scores_of(CAPTIONING, report, at="captioning")
    note = "Beside it the captions of other studies, and those of videos with every pixel black."
    return Group(title="Captions", note=note, scores=scores)
