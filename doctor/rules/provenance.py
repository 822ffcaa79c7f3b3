"""D22: were these results measured, on this model, on these studies?"""

from collections.abc import Iterator, Mapping
from typing import Any

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding
from cinelex.metrics.equal_factor import LUCK, Rounded, equal_factor, written

RULE = "D22"
HASHES = ("config", "data", "code", "checkpoint")
MIN_METRICS = 4


def provenance(evidence: Evidence) -> Iterator[Finding]:
    """Look for missing hashes, and for metrics that all moved by one factor."""
    if not evidence.results:
        return
    hashes = evidence.results.get("provenance") or {}
    missing = [name for name in HASHES if not hashes.get(name)]
    if missing:
        yield _finding(
            float(len(missing)),
            0.0,
            f"The results name no hash of {', '.join(missing)}: nobody can say what they are of.",
            cause="They were written by hand, or by code that does not keep what it measured.",
            remedy="run --run_mode validate on the checkpoint.",
        )
    own = values_of(evidence.results)
    compared = {"another run's results": values_of(evidence.reference)}
    compared |= _baselines(evidence.results.get("captioning") or {})
    for name, others in compared.items():
        common = equal_factor(_exact(others), _exact(own))
        if common is not None and len(common.names) >= MIN_METRICS:
            yield _finding(
                common.luck,
                LUCK,
                f"{len(common.names)} metrics all moved by {100 * common.change:.2f} % from those "
                f"of {name}: measured numbers never move together like that.",
                cause="The numbers were made from the others, not measured.",
                remedy="evaluate again from the checkpoint and compare.",
            )


def _exact(values: Mapping[str, float]) -> dict[str, Rounded]:
    return {name: written(value) for name, value in values.items()}


def values_of(results: Mapping[str, Any], path: str = "") -> dict[str, float]:
    """Return every measured ``value`` in nested results, by its dotted place; baselines left out.

    A value that is exactly 1 is left out: a share that is full cannot move.
    """
    found: dict[str, float] = {}
    for name, entry in results.items():
        if name == "value" and is_number(entry) and entry != 1:
            found[path] = float(entry)
        elif isinstance(entry, Mapping) and name not in ("baselines", "provenance"):
            found |= values_of(entry, f"{path}.{name}" if path else name)
    return found


def _baselines(captioning: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return the scores of each baseline under the names that the captioner's own have."""
    found: dict[str, dict[str, float]] = {}
    for metric, entry in captioning.items():
        if isinstance(entry, Mapping):
            for name, base in (entry.get("baselines") or {}).items():
                if isinstance(base, Mapping) and is_number(base.get("value")):
                    scores = found.setdefault(f"the baseline {name}", {})
                    scores[f"captioning.{metric}"] = base["value"]
    return found


def _finding(
    measured: float, threshold: float, statement: str, *, cause: str, remedy: str
) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="missing hashes; probability that independent changes agree so well",
        null="four hashes; 1 for metrics that moved each on its own",
        cause=cause,
        key="evaluation",
        remedy=remedy,
        next_measurement="The same table from --run_mode validate.",
    )
