"""D22: were these results measured, on this model, on these studies?"""

from collections.abc import Iterator, Mapping
from typing import Any

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.equal_factor import MAX_P, equal_factor, written
from cinelex.projects.interface.results import HASHES, Results, Score

MIN_METRICS = 4


def _hashless(evidence: Evidence) -> Iterator[Measured]:
    if evidence.results is None:
        return
    missing = [name for name in HASHES if not evidence.results.provenance.get(name)]
    if missing:
        yield Measured(float(len(missing)), 0.0, {"missing": ", ".join(missing)})


def _one_factor(evidence: Evidence) -> Iterator[Measured]:
    own = _exact(values_of(evidence.results))
    compared = {"the run of --reference": values_of(evidence.reference)}
    compared |= _baselines(evidence.held_out("captioning"))
    for name, others in compared.items():
        common = equal_factor(_exact(others), own)
        if common is not None and len(common.names) >= MIN_METRICS:
            named = {"count": len(common.names), "change": 100 * common.change, "other": name}
            yield Measured(common.p_value, MAX_P, named)


def _exact(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: written(value) for name, value in values.items()}


def values_of(results: Results | None) -> dict[str, float]:
    """Return every measured value by its path.

    A value that is exactly 1 is left out: a share that is full cannot move.
    """
    scores = results.scores() if results else ()
    return {
        score.name: score.value for score in scores if score.value is not None and score.value != 1
    }


def _baselines(captioning: Mapping[str, Score]) -> dict[str, dict[str, float]]:
    """Return the scores of each baseline under the names that the captioner's own have."""
    found: dict[str, dict[str, float]] = {}
    for score in captioning.values():
        for name, null in score.nulls.items():
            if null.margin is not None and null.value is not None:
                found.setdefault(f"the baseline {name}", {})[score.name] = null.value
    return found


HASHLESS = Rule(
    id="D22",
    name="results without hashes",
    statement="The results have no hash of {missing}, so it is unknown what they belong to.",
    formula="missing hashes of config, data, code and checkpoint",
    null="0 of four",
    cause="They were written by hand, or by code that does not keep what it measured.",
    key="evaluation",
    remedy="run --run_mode validate on the checkpoint.",
    next_measurement="The same table from --run_mode validate.",
    check=_hashless,
)
ONE_FACTOR = Rule(
    id="D22",
    name="metrics that moved by one factor",
    statement="{count} metrics all moved by {change:.2f} % from those of {other}: measured numbers "
    "never move together like that.",
    formula="probability that independent changes of this size agree so well",
    null="1 for metrics that moved each on its own",
    cause="The numbers were made from the others, not measured.",
    key="evaluation",
    remedy="evaluate again from the checkpoint and compare.",
    next_measurement="The same table from --run_mode validate.",
    check=_one_factor,
)
