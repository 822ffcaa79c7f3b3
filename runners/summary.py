"""What a run prints before its first step and after its last."""

from collections.abc import Iterator, Mapping
from typing import Any

from cinelex.config.schedule import schedule_table
from cinelex.config.schema import RunConfig

SHOWN = ("recall_at_1", "recall_at_5", "recall_at_10", "median_rank")
SHOWN_OF_CAPTIONS = (
    "kind_f1",
    "tone_f1",
    "whole_f1",
    "scene_f1",
    "lesion_f1_10pp",
    "number_recall",
    "hallucination_rate",
    "bleu4",
    "rougeL",
)


def schedule_lines(config: RunConfig) -> list[str]:
    """Return everything that changes over the run, at a few steps, as a table."""
    rows = schedule_table(config)
    head = "  ".join(f"{name:>{max(12, len(name))}}" for name in rows[0])
    return [
        head,
        *("  ".join(f"{value:>{max(12, len(n))}.4g}" for n, value in row.items()) for row in rows),
    ]


def summary_lines(results: Mapping[str, Any]) -> list[str]:
    """Return the main results, each beside its null and its interval."""
    parts = (_retrieval, _captioning, _losses, _masked, _tables)
    return [line for part in parts for line in part(results)]


def _retrieval(results: Mapping[str, Any]) -> Iterator[str]:
    if "retrieval" not in results:
        return
    retrieval = results["retrieval"]
    for direction in ("study_to_report", "report_to_study"):
        gallery = retrieval["gallery"][direction]
        for metric in SHOWN:
            entry = retrieval[direction][metric]
            yield (
                f"{direction} {metric}: {_number(entry['value'])} "
                f"[{_number(entry['low'])}, {_number(entry['high'])}], "
                f"chance {_number(entry['chance'])} (gallery {gallery})"
            )
    positive, negative = retrieval["positive_cosine"], retrieval["negative_cosine"]
    yield f"cosine: own {_number(positive['value'])}, others {_number(negative['value'])}"


def _captioning(results: Mapping[str, Any]) -> Iterator[str]:
    for metric in SHOWN_OF_CAPTIONS:
        entry = results.get("captioning", {}).get(metric)
        if entry is not None:
            nulls = ", ".join(
                f"{name} {_number(null['value'])}" for name, null in entry["baselines"].items()
            )
            yield (
                f"captions {metric}: {_number(entry['value'])} "
                f"[{_number(entry['low'])}, {_number(entry['high'])}]; {nulls}"
            )


def _losses(results: Mapping[str, Any]) -> Iterator[str]:
    for term, entry in results.get("losses", {}).items():
        nulls = ", ".join(f"{name} {_number(x)}" for name, x in entry.items() if name != "value")
        yield f"held-out {term}: {_number(entry['value'])}; {nulls}"


def _masked(results: Mapping[str, Any]) -> Iterator[str]:
    if "masked_modeling" in results:
        error = results["masked_modeling"]["pixel_mse"]
        yield "hidden pixels: " + ", ".join(f"{name} {_number(x)}" for name, x in error.items())


def _tables(results: Mapping[str, Any]) -> Iterator[str]:
    for table in results.get("tables", []):
        for row in table["rows"]:
            low, high = row["low"], row["high"]
            interval = "" if low is None else f" [{_number(low)}, {_number(high)}]"
            nulls = ", ".join(f"{name} {_number(null)}" for name, null in row["nulls"].items())
            yield f"{table['title']}, {row['label']}: {_number(row['value'])}{interval}; {nulls}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4g}"
