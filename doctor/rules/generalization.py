"""D21 and N15: how much of what was learned on training studies holds on others?"""

from collections.abc import Iterator
from statistics import median

import numpy as np

from cinelex.doctor.evidence import WINDOW, Evidence, Row, course, is_number
from cinelex.doctor.rules.rule import Measured, Rule

MAX_LOST = 0.5
"""Share of the way from chance to the training loss that held-out studies may lack."""
FEWEST_SINCE = 6
"""Validations after the best one that a trend can be seen in."""
SIGNIFICANT = 0.01
MIN_GONE = 0.1
"""Share of what held-out studies had gained by their best validation that must be gone."""
LOSSES = "losses/"
"""What the names of held-out terms begin with in the record."""
MIN_LEARNED = 0.05
"""Share of chance that a term must have fallen by for a gap to mean anything."""


def _lost(evidence: Evidence) -> Iterator[Measured]:
    """Compare the newest training losses with the held-out ones, in units of what was learned."""
    for term, (value, chance) in _held_out(evidence).items():
        train = evidence.level(f"loss/{term}")
        if train is None:
            continue
        # the last held-out batch may be smaller, and so have another chance
        learned = 1 - train / (evidence.level(f"chance/{term}") or chance)
        lost = 1 - (1 - value / chance) / learned if learned >= MIN_LEARNED else 0.0
        if lost > MAX_LOST:
            named = {"term": term, "train": train, "held_out": value, "chance": chance}
            yield Measured(lost, MAX_LOST, named, course=(f"loss/{term}", f"chance/{term}"))


def _held_out(evidence: Evidence) -> dict[str, tuple[float, float]]:
    """Return value and chance of each held-out term, of the test split or the last validation."""
    measured: dict[str, tuple[float | None, float | None]] = {
        term: (score.value, score.nulls["chance"].value if "chance" in score.nulls else None)
        for term, score in evidence.held_out("losses").items()
    }
    if not measured and evidence.validations:
        last = evidence.validations[-1]
        measured = {term: (last[key], last.get(f"{key}/chance")) for key, term in _terms(last)}
    return {
        term: (value, chance)
        for term, (value, chance) in measured.items()
        if value is not None and chance
    }


def _terms(row: Row) -> list[tuple[str, str]]:
    """Return the held-out terms of a validation: the key in its record, and the name."""
    keys = [key for key in row if key.startswith(LOSSES) and key.count("/") == 1]
    return [(key, key.removeprefix(LOSSES)) for key in keys if is_number(row[key])]


def _overtrained(evidence: Evidence) -> Iterator[Measured]:
    """Look at each held-out term behind its best validation, while the training term falls on."""
    for key, term in _terms(evidence.validations[-1]) if evidence.validations else []:
        rows = course(evidence.validations, key)
        best, lowest = min(rows, key=lambda row: row[1])
        since = np.array([value for step, value in rows if step > best])
        before = [value for step, value in evidence.course(f"loss/{term}") if step <= best]
        after = evidence.level(f"loss/{term}")
        falls = bool(before) and after is not None and after < median(before[-WINDOW:])
        if len(since) < FEWEST_SINCE or not falls:
            continue
        found, chance = _rising(since), evidence.validations[-1].get(f"{key}/chance")
        gone = (median(since[-3:]) - lowest) / (chance - lowest) if chance else 1.0
        # a jump leaves no trend behind it, but everything that was gained is lost
        lost = gone >= 1 and chance is not None and lowest < (1 - MIN_LEARNED) * chance
        if lost or (found < SIGNIFICANT and not 0 <= gone < MIN_GONE):
            named = {"term": term, "best": lowest, "step": best, "now": rows[-1][1]}
            named |= {"count": len(since), "p": found}
            yield Measured(gone, MIN_GONE, named, course=(f"loss/{term}",))


def _rising(values: np.ndarray) -> float:
    """Return how likely values without a trend rise like that; 1 where these do not rise.

    Autocorrelation is allowed for where there are enough values to see it.
    """
    # here, because both load what takes seconds, and training loads the rules
    from scipy.stats import kendalltau

    from cinelex.metrics.series.trend import ranking

    corrected = ranking(values)
    if corrected.testable:
        return corrected.p_value if corrected.tau > 0 else 1.0
    return float(kendalltau(np.arange(len(values)), values, alternative="greater").pvalue)


GENERALIZATION = Rule(
    id="D21",
    name="what is lost on held-out studies",
    severity="warning",
    statement="{percent:.0f} % of the improvement of the term {term} on training studies does "
    "not carry over: {train:.3f} in training, {held_out:.3f} held out.",
    formula="1 - (1 - held out / chance) / (1 - training / chance), each with its own chance; held "
    "out {chance:.3f}",
    null="0 where nothing is lost, 1 where held-out studies are at chance",
    cause="The studies were memorised.",
    key="steps",
    remedy="fewer steps, more studies, more augmentation, or a smaller model.",
    next_measurement="The held-out loss at half the steps.",
    check=_lost,
)
OVERTRAINED = Rule(
    id="N15",
    name="a held-out term rises while the training term falls",
    severity="warning",
    statement="The held-out term {term} was best at step {step} ({best:.3f}) and has risen over "
    "the {count} validations since, to {now:.3f}, while the training term fell.",
    formula="(median of the last three validations - best) / (chance - best), where Kendall's test "
    "says that they rise, corrected for autocorrelation where that can be seen; p {p:.2g}; 1 and "
    "more speaks for itself",
    null="0 where nothing is lost again",
    cause="More steps only memorise the training studies.",
    key="keep_best",
    remedy="keep the best checkpoint (keep_best=-losses/{term}), end early (patience), or "
    "regularise: augmentation, dropout, label smoothing, fewer trained parameters.",
    next_measurement="The results of the best checkpoint.",
    check=_overtrained,
)
