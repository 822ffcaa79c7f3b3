"""What the scores of studies and their texts are called, in what unit, and which way is better."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cinelex.projects.interface.results import Score
from cinelex.projects.interface.terms import Better

Table = Mapping[str, "Measure"]


@dataclass(frozen=True)
class Measure:
    """A kind of score, whatever its value."""

    label: str
    better: Better | None = None
    unit: str = ""
    headline: bool = False

    def of(self, name: str, entry: Mapping[str, Any]) -> Score:
        """Return what a metric found, its interval and its nulls, as the score of that name."""
        return Score.from_json(name, {**entry, **vars(self)})


def scores_of(table: Table, entries: Mapping[str, Any], *, at: str) -> list[Score]:
    """Return what metrics found in the order of ``table``; a metric that is not in it comes last.

    Args:
        table: The kinds of score.
        entries: What was found, by the metric's name.
        at: Path of the section of ``results.json`` that they stand in.
    """
    order = [
        *(key for key in table if key in entries),
        *(key for key in entries if key not in table),
    ]
    return [table.get(key, Measure(key)).of(f"{at}.{key}", entries[key]) for key in order]


def flat_numbers(
    report: Mapping[str, Any], directions: Iterable[str], metrics: Iterable[str]
) -> dict[str, float]:
    """Return numbers of a retrieval report for the record, each beside its chance."""
    numbers: dict[str, float] = {}
    for direction in directions:
        for metric in metrics:
            entry = report[direction][metric]
            if entry["value"] is not None:
                numbers[f"retrieval/{direction}/{metric}"] = entry["value"]
                numbers[f"retrieval/{direction}/{metric}/chance"] = entry["chance"]
    return numbers


def _share(label: str, better: Better | None = "higher", *, headline: bool = False) -> Measure:
    return Measure(label, better, "share", headline)


RETRIEVAL: Table = {
    "recall_at_1": _share("Recall at 1", headline=True),
    "recall_at_5": _share("Recall at 5", headline=True),
    "recall_at_10": _share("Recall at 10", headline=True),
    "recall_at_50": _share("Recall at 50"),
    "mrr": Measure("Mean reciprocal rank", "higher"),
    "ndcg": Measure("NDCG", "higher"),
    "map": Measure("Mean average precision", "higher"),
    "ap_at_10": Measure("Average precision at 10", "higher", headline=True),
    "median_rank": Measure("Median rank", "lower", "rank", headline=True),
    "mean_rank": Measure("Mean rank", "lower", "rank"),
    "rsum": Measure("RSUM, sum of six recalls in %", "higher", headline=True),
}

COSINES: Table = {
    "positive_cosine": Measure("Study with its own report", headline=True),
    "negative_cosine": Measure("Study with other reports", headline=True),
    "cosine_gap": Measure("Gap", "higher", headline=True),
}

HEADED = ("bleu4", "rougeL")
"""Scores of text that the summary shows."""

CAPTIONING: Table = {
    "lesion_f1_10pp": _share("Lesion F1, segment and ±10 points", headline=True),
    "lesion_f1_segment": _share("Lesion F1, segment"),
    "lesion_f1_vessel": _share("Lesion F1, vessel"),
    "severity_f1_50": _share("F1 at 50 % narrowing"),
    "severity_f1_70": _share("F1 at 70 % narrowing"),
    "number_recall": _share("Percentages recalled", headline=True),
    "hallucination_rate": _share("Lesions invented", "lower", headline=True),
    "omission_rate": _share("Lesions left out", "lower"),
    "graded_omission": _share("Left out, by clinical weight", "lower"),
    "graded_hallucination": _share("Invented, by clinical weight", "lower"),
    "graded_contradiction": _share("Denied, by clinical weight", "lower"),
    "contradiction_rate": _share("Lesions contradicted", "lower"),
    "mae": Measure("Mean error in points", "lower", "points"),
    "other_facts_f1": _share("F1 of other facts"),
    "kind_f1": _share("F1 of things at their places", headline=True),
    "tone_f1": _share("F1 of things, places and tones", headline=True),
    "whole_f1": _share("F1 of things, places, tones and sizes", headline=True),
    "scene_f1": _share("F1 of sky and ground", headline=True),
    "bleu1": Measure("BLEU-1", "higher"),
    "bleu2": Measure("BLEU-2", "higher"),
    "bleu3": Measure("BLEU-3", "higher"),
    "bleu4": Measure("BLEU-4", "higher", headline=True),
    "rouge1": Measure("ROUGE-1", "higher"),
    "rouge2": Measure("ROUGE-2", "higher"),
    "rougeL": Measure("ROUGE-L", "higher", headline=True),
    "cider": Measure("CIDEr-D", "higher"),
    **{
        f"{name}_unicode": Measure(f"{label}, every script", "higher", headline=name in HEADED)
        for name, label in (
            *((f"bleu{order}", f"BLEU-{order}") for order in (1, 2, 3, 4)),
            *(("rouge1", "ROUGE-1"), ("rouge2", "ROUGE-2"), ("rougeL", "ROUGE-L")),
            ("cider", "CIDEr-D"),
        )
    },
    "parse_coverage": _share("Sentences understood, references", None),
    "candidate_parse_coverage": _share("Sentences understood, captions", None),
}

REPRESENTATION: Table = {
    f"{tower}_{key}": Measure(f"{plural}, {label}", unit=unit)
    for tower, plural in (("study", "Studies"), ("report", "Reports"))
    for key, label, unit in (
        ("std", "spread of a feature", ""),
        ("rankme", "effective rank", "dimensions"),
        ("cosine", "mean cosine of two", ""),
        ("uniformity", "uniformity", ""),
    )
} | {"modality_gap": Measure("Modality gap")}
