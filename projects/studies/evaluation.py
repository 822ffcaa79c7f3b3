"""Everything that is measured on held-out studies, put together beside its nulls."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cinelex.config.schema import RunConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.bootstrap import Groups
from cinelex.metrics.floors import beside_floors
from cinelex.metrics.nulls import uniformity_of_random_directions
from cinelex.metrics.ranking import Ranking
from cinelex.metrics.representation import (
    feature_std,
    mean_off_diagonal_cosine,
    modality_gap,
    rankme,
    uniformity,
)
from cinelex.metrics.retrieval import (
    groups_both_ways,
    rank_both_ways,
    retrieval_report,
    scores_per_query,
)
from cinelex.models.study_model import StudyModel
from cinelex.projects.interface.results import Group, Results
from cinelex.projects.studies.beside import blind_ranks, study_attributes, study_floors
from cinelex.projects.studies.blind import METADATA, STILL_SEEN
from cinelex.projects.studies.captions import (
    Written,
    captioning_scores,
    keep_captions,
)
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import (
    EncodedSplit,
    encode_split,
    encode_studies,
)
from cinelex.projects.studies.examples import keep_examples
from cinelex.projects.studies.measures import (
    COSINES,
    REPRESENTATION,
    RETRIEVAL,
    flat_numbers,
    scores_of,
)
from cinelex.projects.studies.outcomes import keep_outcomes
from cinelex.projects.studies.subgroups import subgroup_tables

DIRECTIONS = {"study_to_report": "Study to report", "report_to_study": "Report to study"}
FLOORS = (
    "ridge: a closed form from raw pixels, or from the features of the model's own encoder, to "
    "TF-IDF of the training reports"
)
VALIDATED = ("recall_at_1", "recall_at_5", "median_rank")


def validation_numbers(
    model: StudyModel, dataset: StudyDataset, *, batch: int
) -> Mapping[str, float]:
    """Return a few retrieval numbers with their chance; no intervals, so that it is cheap."""
    encoded = encode_split(model, dataset, batch=batch)
    report = retrieval_report(encoded.study, encoded.report, encoded.report_of_study, resamples=1)
    numbers = flat_numbers(report, DIRECTIONS, VALIDATED)
    for metric in ("positive_cosine", "negative_cosine"):
        value: Any = report[metric]["value"]
        if value is not None:
            numbers[f"retrieval/{metric}"] = value
    return numbers


def study_results(
    config: RunConfig, data: StudyData, model: StudyModel, folder: Path, *, written: Written | None
) -> Results:
    """Return retrieval, captioning where there is a decoder, and representation of test studies.

    Examples go to ``predictions/`` in the run's folder.

    Args:
        config: The run.
        data: Its studies.
        model: The trained module, in evaluation mode.
        folder: The run's folder.
        written: Captions of the test studies; None where there is no decoder.
    """
    settings, predictions = config.evaluation, folder / "predictions"
    encoded = encode_split(model, data.test, batch=settings.batch)
    ranks = rank_both_ways(encoded.study, encoded.report, encoded.report_of_study)
    keep_examples(
        predictions,
        data.test,
        encoded,
        ranks["study_to_report"].best.tolist(),
        count=settings.report_examples,
    )
    attributes = study_attributes(config, data)
    floors = study_floors(config, data, model, attributes)
    beside = {
        name: rank_both_ways(rows.study, rows.text, encoded.report_of_study)
        for name, rows in floors.items()
    } | blind_ranks(config, data, model, encoded)
    patients = data.test.patient_groups
    resamples, seed = settings.bootstrap, config.seed
    found = _retrieval(encoded, ranks, beside, patients, resamples=resamples, seed=seed)
    keep_outcomes(predictions / "outcomes.csv", data.test, ranks, beside)
    groups = [*found.groups]
    if written is not None:
        if METADATA in floors:
            told = data.train.studies.take(floors[METADATA].nearest).reports
            written = replace(written, beside={**written.beside, METADATA: told})
        groups.append(_captioning(config, data, model, encoded, predictions, written))
    groups.append(_representation(encoded))
    hits = scores_per_query(ranks["study_to_report"])
    tables = subgroup_tables(
        data, attributes, {"Recall at 1": hits["recall_at_1"], "MRR": hits["mrr"]}, config
    )
    return Results(groups=groups, counts=found.counts, tables=tables)


def _retrieval(
    encoded: EncodedSplit,
    ranks: Mapping[str, Ranking],
    floors: Mapping[str, Mapping[str, Ranking]],
    patients: Groups,
    *,
    resamples: int,
    seed: int,
) -> Results:
    report: Mapping[str, Any] = retrieval_report(
        encoded.study,
        encoded.report,
        encoded.report_of_study,
        rankings=ranks,
        groups=patients,
        resamples=resamples,
        seed=seed,
    )
    groups = []
    owners = groups_both_ways(patients, encoded.report_of_study.numpy())
    for name, title in DIRECTIONS.items():
        entries = beside_floors(
            report[name],
            scores_per_query(ranks[name]),
            {floor: scores_per_query(found[name]) for floor, found in floors.items()},
            groups=owners[name],
            resamples=resamples,
            seed=seed,
        )
        note = (
            f"{report['queries'][name]} queries, gallery of {report['gallery'][name]}; intervals "
            f"resample {len(np.unique(patients))} patients; {FLOORS}"
        )
        bounded = {key: {**entry, "bounds": STILL_SEEN} for key, entry in entries.items()}
        scores = scores_of(RETRIEVAL, bounded, at=f"retrieval.{name}")
        groups.append(Group(title=title, note=note, scores=scores))
    cosines = Group(
        title="Cosines",
        note="chance 0: random directions for the two levels, shuffled pairs for the gap",
        scores=scores_of(COSINES, {key: report[key] for key in COSINES}, at="retrieval"),
    )
    counts = {
        f"retrieval.{kind}.{name}": report[kind][name]
        for kind in ("gallery", "queries")
        for name in DIRECTIONS
    }
    return Results(groups=[*groups, cosines], counts=counts)


def _captioning(
    config: RunConfig,
    data: StudyData,
    model: StudyModel,
    encoded: EncodedSplit,
    predictions: Path,
    written: Written,
) -> Group:
    test, train, settings = data.test, data.train, config.evaluation
    references = test.studies.reports
    keep_captions(predictions / "captions.jsonl", test.studies.ids, references, written)
    library = encode_studies(model, train, batch=settings.batch)
    nearest = (encoded.study @ library.T).argmax(dim=1).tolist()
    scores = captioning_scores(
        written,
        references,
        train.studies.reports,
        train.studies.take(nearest).reports,
        groups=test.patient_groups,
        facts=settings.facts,
        resamples=settings.bootstrap,
        seed=config.seed,
    )
    note = (
        "Intervals resample patients; a baseline looks at no study, or copies the nearest report."
    )
    return Group(title="Captions", note=note, scores=scores)


def _representation(encoded: EncodedSplit) -> Group:
    return Group(
        title="Embeddings",
        note="Unit rows of the held-out studies and reports, beside collapsed and random ones.",
        scores=scores_of(REPRESENTATION, representation(encoded), at="representation"),
    )


def representation(encoded: EncodedSplit) -> dict[str, dict[str, float | None]]:
    """Return what shows a collapse: each number beside what collapsed and random rows score."""
    dim = encoded.study.shape[1]
    uniform = uniformity_of_random_directions(dim)
    towers = {"study": encoded.study, "report": encoded.report}
    table: dict[str, dict[str, float | None]] = {}
    for name, rows in towers.items():
        if len(rows) < 2:
            continue
        table |= {
            f"{name}_std": _entry(feature_std(rows), 0.0, dim**-0.5),
            f"{name}_rankme": _entry(rankme(rows), 1.0, float(min(rows.shape))),
            f"{name}_cosine": _entry(mean_off_diagonal_cosine(rows), 1.0, 0.0),
            f"{name}_uniformity": _entry(uniformity(rows), 0.0, uniform),
        }
    if len(encoded.study) > 1 and len(encoded.report) > 1:
        gap = modality_gap(encoded.study, encoded.report)
        table["modality_gap"] = {"value": gap, "chance": 0.0}
    return table


def _entry(value: float, collapsed: float, random: float) -> dict[str, float | None]:
    return {"value": value, "collapsed": collapsed, "random": random}
