"""Everything that is measured on held-out studies, put together beside its nulls."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.config.schema import RunConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.nulls import uniformity_of_random_directions
from cinelex.metrics.representation import (
    feature_std,
    mean_off_diagonal_cosine,
    modality_gap,
    rankme,
    uniformity,
)
from cinelex.metrics.retrieval import rank_both_ways, retrieval_report
from cinelex.models.study_model import StudyModel
from cinelex.projects.studies.captions import (
    captioning_results,
    keep_captions,
    write_captions,
)
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import (
    EncodedSplit,
    encode_split,
    encode_studies,
)
from cinelex.projects.studies.examples import keep_examples

VALIDATED = ("recall_at_1", "recall_at_5", "median_rank")


def validation_numbers(
    model: StudyModel, dataset: StudyDataset, *, batch: int
) -> Mapping[str, float]:
    """Return a few retrieval numbers with their chance; no intervals, so that it is cheap."""
    encoded = encode_split(model, dataset, batch=batch)
    report = retrieval_report(encoded.study, encoded.report, encoded.report_of_study, resamples=1)
    numbers: dict[str, float] = {}
    for direction in ("study_to_report", "report_to_study"):
        for metric in VALIDATED:
            entry: Any = report[direction][metric]
            if entry["value"] is not None:
                numbers[f"retrieval/{direction}/{metric}"] = entry["value"]
                numbers[f"retrieval/{direction}/{metric}/chance"] = entry["chance"]
    for metric in ("positive_cosine", "negative_cosine"):
        value: Any = report[metric]["value"]
        if value is not None:
            numbers[f"retrieval/{metric}"] = value
    return numbers


@dataclass(frozen=True)
class StudyEvaluation:
    """Scores a model on the test studies of a run."""

    config: RunConfig
    data: StudyData
    model: StudyModel
    folder: Path
    """The run's folder; examples go to ``predictions/``."""

    def results(self) -> dict[str, Any]:
        """Return retrieval, representation and, where there is a decoder, captioning."""
        test, settings = self.data.test, self.config.evaluation
        encoded = encode_split(self.model, test, batch=settings.batch)
        results: dict[str, Any] = {
            "retrieval": retrieval_report(
                encoded.study,
                encoded.report,
                encoded.report_of_study,
                resamples=settings.bootstrap,
                seed=self.config.seed,
            ),
            "representation": representation(encoded),
        }
        ranks = rank_both_ways(encoded.study, encoded.report, encoded.report_of_study)
        keep_examples(
            self.folder / "predictions",
            test,
            encoded,
            ranks["study_to_report"].best.tolist(),
            count=settings.report_examples,
        )
        if self.model.caption_decoder is not None:
            results["captioning"] = self._captioning(encoded)
        return results

    def _captioning(self, encoded: EncodedSplit) -> dict[str, Any]:
        test, train, settings = self.data.test, self.data.train, self.config.evaluation
        captions = write_captions(
            self.model, test, batch=settings.batch, max_tokens=settings.max_new_tokens
        )
        references = [study.report for study in test.studies]
        keep_captions(
            self.folder / "predictions" / "captions.jsonl",
            [study.id for study in test.studies],
            references,
            captions,
        )
        library = encode_studies(self.model, train, batch=settings.batch)
        nearest = (encoded.study @ library.T).argmax(dim=1).tolist()
        return captioning_results(
            captions,
            references,
            [study.report for study in train.studies],
            [train.studies[place].report for place in nearest],
            facts=settings.facts,
            resamples=settings.bootstrap,
            seed=self.config.seed,
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
