"""What probes find in held-out studies, beside those who never look at the features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.data.batch import Batch
from cinelex.data.loader import Chosen
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.video.transforms import to_float
from cinelex.metrics.probing import ends, resampled
from cinelex.metrics.target_ridge import principal_rows
from cinelex.models.probes import Probes
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Group, Results
from cinelex.projects.probing.fairness import fairness
from cinelex.projects.probing.inputs import levels_of, metadata_rows
from cinelex.projects.probing.predictions import (
    Solved,
    by_probe,
    prior_said,
    probe_outputs,
    ridge_said,
    rows_of_batches,
)
from cinelex.projects.probing.scoring import (
    FIRST,
    LABELS,
    Answers,
    Drawn,
    draw_scores,
    head_scores,
    mean_scores,
)
from cinelex.projects.probing.second_view import second_view
from cinelex.projects.probing.targets import Targets
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import device_of
from cinelex.projects.studies.floors import rows_solved_on, study_pixels

FLOORS = {
    "predict_the_mean": "the training studies' mean, or their most frequent class",
    "metadata": "ridge from number, length and timing of the videos, their brightness, the views, "
    "the place in the file and the manifest's further columns",
    "ridge_pixels": "ridge from the principal components of the clips averaged down",
    "ridge_features": "ridge from the mean of all tokens of the same encoder",
}


@dataclass(frozen=True)
class Splits:
    """The studies that are learned from, chosen on, and scored."""

    train: StudyDataset
    solved_on: Sequence[int]
    """Of the training studies, those that floors are solved on."""
    validation: StudyDataset
    """The training studies where there is no such split."""
    test: StudyDataset


def probing_results(
    config: RunConfig, data: StudyData, targets: Targets, model: Probes, probes: Sequence[str]
) -> Results:
    """Return every score, the table of heads, and what a second view adds."""
    size, settings = config.evaluation.batch, config.evaluation
    splits = Splits(
        data.train, rows_solved_on(data.train), data.validation or data.train, data.test
    )
    outputs = {
        split: probe_outputs(model, dataset, batch=size)
        for split, dataset in (("validation", splits.validation), ("test", splits.test))
    }
    said = {name: by_probe(probes, rows, targets) for name, rows in outputs.items()}
    answers = {n: Answers(validation=said["validation"][n], test=said["test"][n]) for n in probes}
    patients = splits.test.patient_groups
    weights = resampled(patients, resamples=settings.bootstrap, seed=config.seed)
    truth = targets.values(splits.test.studies.ids)
    before = targets.values(splits.validation.studies.ids)

    def drawn(one: Answers) -> list[Drawn]:
        return draw_scores(targets, one, truth=truth, known_before=before, weights=weights)

    floors = {n: drawn(one) for n, one in _floors(config, targets, model, splits).items()}
    own = {name: drawn(one) for name, one in answers.items()}
    people = len(np.unique(patients))
    note = (
        f"{len(splits.test)} studies of {people} patients, who are resampled for the intervals; "
        "thresholds are those with the best balanced accuracy on validation studies. "
        + " ".join(f"{name.replace('_', ' ')}: {what}." for name, what in FLOORS.items())
    )
    means = [s for n in probes for s in mean_scores(targets, n, own[n], floors)]
    groups = [
        Group(title="Probes", note=note, scores=means),
        *(
            Group(
                title=f"Targets, {name.replace('_', ' ')} probe",
                note="Each target by itself.",
                scores=head_scores(targets, name, own[name], floors),
            )
            for name in probes
        ),
    ]
    if config.probing.second_view:
        groups += second_view(config, data, targets, model, probes, answers, before)
    tables = [_table(targets, truth, own, floors)]
    among = int(np.prod(model.video_encoder.grid))
    others = config.probing.compare_with
    ordered, fair = fairness(others, means, name=config.name, tokens=among)
    groups += ordered
    tables += fair
    counts = {
        "probing.studies": len(splits.test),
        "probing.patients": people,
        "probing.targets": len(targets.targets),
        "probing.tokens_per_clip": among,
    }
    return Results(groups=groups, tables=tables, counts=counts)


def _floors(
    config: RunConfig, targets: Targets, model: Probes, splits: Splits
) -> dict[str, Answers]:
    """Return what everyone says who does not train on the features."""
    prior = Answers(
        validation=prior_said(targets, len(splits.validation)),
        test=prior_said(targets, len(splits.test)),
    )
    ids = splits.train.studies.ids
    values = targets.values([ids[n] for n in splits.solved_on])
    found = {"predict_the_mean": prior}
    for name, solved in _inputs(config, model, splits).items():
        validation, test = ridge_said(targets, solved, values)
        found[name] = Answers(validation=validation, test=test)
    return found


def _inputs(config: RunConfig, model: Probes, splits: Splits) -> Mapping[str, Solved]:
    size, count = config.evaluation.batch, config.probing.ridge_components
    device = device_of(model)

    @torch.no_grad()
    def features(batch: Batch) -> Float[Tensor, "study number"]:
        kept = None if batch.features is None else batch.features.to(device)
        tokens = model.tokens(to_float(batch.clips).to(device), kept).float().cpu()
        rows = tokens.new_zeros(batch.studies, tokens.shape[2])
        total = rows.index_add(0, batch.owner, tokens.mean(dim=1))
        return total / torch.tensor(batch.clip_counts)[:, None]

    some, others = Chosen(splits.train, splits.solved_on), (splits.validation, splits.test)
    three = (some, *others)
    pixels = [rows_of_batches(study_pixels, one.of_pixels(), batch=size) for one in three]
    seen = [rows_of_batches(features, one, batch=size) for one in three]
    gray = [rows_of_batches(_levels, one.of_pixels(), batch=size) for one in three]
    named = [target.column or name for name, target in config.probing.targets.items()]
    levels = levels_of(splits.train, named)
    sets = (splits.train, splits.validation, splits.test)
    machine = [metadata_rows(dataset, levels) for dataset in sets]
    machine[0] = machine[0][list(splits.solved_on)]
    known = [np.concatenate(both, axis=1) for both in zip(machine, gray, strict=True)]
    return {
        "metadata": _solved(known, count),
        "ridge_pixels": _solved(pixels, count),
        "ridge_features": _solved(seen, count),
    }


def _levels(batch: Batch) -> Float[Tensor, "study two"]:
    """Return mean and deviation of the gray levels of each study, over its clips."""
    levels = to_float(batch.clips).flatten(1)
    both = torch.stack([levels.mean(dim=1), levels.std(dim=1)], dim=1)
    total = both.new_zeros(batch.studies, 2).index_add(0, batch.owner, both)
    return total / torch.tensor(batch.clip_counts)[:, None]


def _solved(rows: Sequence[Float[np.ndarray, "_ _"]], count: int) -> Solved:
    train, queries = principal_rows(rows[0], np.concatenate([rows[1], rows[2]]), count)
    return Solved(train=train, validation=queries[: len(rows[1])], test=queries[len(rows[1]) :])


def _table(
    targets: Targets,
    truth: Float[np.ndarray, "study head"],
    own: Mapping[str, Sequence[Drawn]],
    floors: Mapping[str, Sequence[Drawn]],
) -> Table:
    """Return a row a target: its first metric, of probes with intervals, and of floors."""
    rows: list[dict[str, Any]] = []
    for n, target in enumerate(targets.targets):
        stated = truth[np.isfinite(truth[:, n]), n]
        metric = FIRST[target.kind]
        row: dict[str, Any] = {
            "target": target.name,
            "kind": target.kind,
            "studies": len(stated),
            "positive": int((stated > 0).sum()) if target.kind == "binary" else "",
            "metric": LABELS[metric] + (f", {target.unit}" if target.unit else ""),
        }
        for name, drawn in {**own, **floors}.items():
            one = next(d for d in drawn if d.head == n and d.metric == metric)
            row[name] = _with_interval(one.values, interval=name in own)
        rows.append(row)
    return Table(
        name="probing",
        title="Targets",
        note="AUROC of two classes, balanced accuracy of several, mean absolute error of numbers "
        "and grades; 95 % intervals over patients.",
        rows=rows,
    )


def _with_interval(values: Float[np.ndarray, " resample"], *, interval: bool) -> str:
    if not np.isfinite(values[0]):
        return "–"
    low, high = ends(values)
    if not interval or low is None or high is None:
        return f"{values[0]:.3g}"
    return f"{values[0]:.3g} [{low:.3g}, {high:.3g}]"
