"""Counterfactual reports differ in one fact, and the parser says so."""

import numpy as np
import pytest

from cinelex.data.synthetic.cines.findings import draw_findings
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read
from cinelex.metrics.facts.twins import CHANGES, Change, Twins
from cinelex.metrics.facts.vocabulary import vocabulary

GENERATOR = np.random.default_rng(0)
REPORTS = [write_report(draw_findings(GENERATOR), GENERATOR) for _ in range(120)]
TWINS = Twins(REPORTS, vocabulary("coronary"))


def twin(report: str, change: Change) -> str | None:
    return TWINS.of(report, change, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("change", "report", "expected"),
    [
        ("side", "Right dominant. TIMI 3 flow.", "Left dominant. TIMI 3 flow."),
        ("negation", "A pacemaker lead is seen. Normal.", "No pacemaker lead. Normal."),
        ("negation", "60% stenosis of the mid LAD.", "No stenosis of the mid LAD."),
        ("number", "TIMI 3 flow.", "TIMI 2 flow."),
    ],
)
def test_one_fact_changes_and_the_words_stay(change: Change, report: str, expected: str) -> None:
    assert twin(report, change) == expected


def test_a_lesion_moves_within_its_vessel_and_to_no_segment_that_has_one() -> None:
    report = "60% stenosis of the proximal RCA. 40% stenosis of the mid RCA."
    moved = twin(report, "segment")
    assert moved is not None
    before, after = (lesions_of(read(text)).positive for text in (report, moved))
    assert len(after) == 2
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    assert len(gone) == len(come) == 1
    assert before[gone.pop()].low == after[come.pop()].low


def test_a_number_changes_by_a_quarter_of_what_reports_state_at_least() -> None:
    for report in REPORTS[:60]:
        other = twin(report, "number")
        assert other is not None
        before, after = (set(read(text).facts) for text in (report, other))
        (old,), (new,) = before - after, after - before
        assert (old.segment, old.attribute) == (new.segment, new.attribute)
        assert abs(old.low - new.low) >= (1 if old.attribute == "flow" else 20)


@pytest.mark.parametrize("change", CHANGES)
def test_most_reports_have_a_twin_and_none_is_its_own(change: Change) -> None:
    found = [twin(report, change) for report in REPORTS]
    assert sum(other is not None for other in found) > 0.8 * len(REPORTS)
    pairs = zip(REPORTS, found, strict=True)
    assert all(set(read(a).facts) != set(read(b).facts) for a, b in pairs if b is not None)


def test_where_nothing_can_be_changed_there_is_no_twin() -> None:
    assert twin("The patient was comfortable.", "number") is None
