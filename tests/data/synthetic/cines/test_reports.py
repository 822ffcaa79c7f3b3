"""Reports say every finding, and nothing else, in a way that can be read back exactly."""

import dataclasses
import itertools
import json
import re
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.data.synthetic.cines import reports, wording
from cinelex.data.synthetic.cines.findings import (
    MAX_LESIONS,
    PERCENTS,
    SEGMENTS,
    VESSELS,
    Dominance,
    Findings,
    draw_findings,
)
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.metrics.facts import Fact, parse

SIDES: Mapping[str, Dominance] = {"right": "right", "left": "left"}
TEMPLATES = (
    *reports.LESION,
    *reports.OCCLUSION,
    *reports.ONE_HEALTHY,
    *reports.SOME_HEALTHY,
    *reports.ALL_HEALTHY,
    *reports.DOMINANCE,
    *reports.FLOW,
    *(text for texts in reports.PRESENT.values() for text in texts),
    *(text for texts in reports.ABSENT.values() for text in texts if text),
)
QUIET = Findings(
    lesions={},
    dominance="right",
    flow=3,
    tortuous=False,
    calcified=False,
    sternal_wires=False,
    pacemaker=False,
)
ANY_FINDINGS = st.builds(
    Findings,
    lesions=st.dictionaries(st.sampled_from(SEGMENTS), st.integers(1, 100)),
    dominance=st.sampled_from(["right", "left"]),
    flow=st.sampled_from([2, 3]),
    tortuous=st.booleans(),
    calcified=st.booleans(),
    sternal_wires=st.booleans(),
    pacemaker=st.booleans(),
)


def recover(report: str) -> Findings:
    """Build the findings that a report states, and check that it denies all other vessels."""
    facts = parse(report)
    stenoses = [fact for fact in facts if fact.attribute == "stenosis"]
    lesions = [fact for fact in stenoses if not fact.negated]
    assert all(fact.low == fact.high for fact in lesions)
    diseased = {fact.segment for fact in lesions}
    healthy = {name for name, segments in VESSELS.items() if not diseased & set(segments)}
    assert {fact.segment for fact in stenoses if fact.negated} == healthy
    assert len(diseased) == len(lesions)
    return Findings(
        lesions={fact.segment: int(fact.low) for fact in lesions},
        dominance=SIDES[_only(facts, "dominance").segment],
        flow=int(_only(facts, "flow").low),
        tortuous=_is_there(facts, "tortuosity"),
        calcified=_is_there(facts, "calcification"),
        sternal_wires=_is_there(facts, "sternal_wires"),
        pacemaker=_is_there(facts, "pacemaker"),
    )


def _only(facts: list[Fact], attribute: str) -> Fact:
    (fact,) = [fact for fact in facts if fact.attribute == attribute]
    return fact


def _is_there(facts: list[Fact], attribute: str) -> bool:
    return any(fact.attribute == attribute and not fact.negated for fact in facts)


def test_there_are_at_least_thirty_templates() -> None:
    assert len(set(TEMPLATES)) >= 30


@pytest.mark.slow
def test_every_report_of_a_thousand_drawn_studies_is_read_back_exactly() -> None:
    generator = np.random.default_rng(0)
    for _ in range(1000):
        findings = draw_findings(generator)
        assert recover(write_report(findings, generator)) == findings


@settings(max_examples=200, deadline=None)
@given(findings=ANY_FINDINGS, seed=st.integers(0, 2**32 - 1))
def test_any_findings_in_any_wording_are_read_back_exactly(findings: Findings, seed: int) -> None:
    assert recover(write_report(findings, np.random.default_rng(seed))) == findings


@pytest.mark.parametrize("template", [*reports.LESION, *reports.OCCLUSION])
def test_each_lesion_template_is_exact_for_each_segment_name_and_percent_form(
    template: str,
) -> None:
    percents = (100,) if template in reports.OCCLUSION else PERCENTS[:-1]
    for segment, form, percent in itertools.product(SEGMENTS, wording.PERCENT_FORMS, percents):
        for name in wording.SEGMENT_NAMES[segment]:
            sentence = template.format(
                place=name,
                percent=form.format(percent),
                severity=wording.severity_of(percent),
                a="a",
            )
            assert parse(sentence) == [Fact(segment, "stenosis", float(percent), float(percent))]


def test_a_thousand_reports_use_every_template() -> None:
    generator = np.random.default_rng(1)
    text = " ".join(write_report(draw_findings(generator), generator) for _ in range(1000))
    for template in TEMPLATES:
        pattern = re.sub(r"\\{\w+\\}", "[^.]+", re.escape(template))
        assert re.search(pattern, text, re.IGNORECASE), template


def test_reports_are_short_and_nearly_all_unique() -> None:
    generator = np.random.default_rng(2)
    texts = [write_report(draw_findings(generator), generator) for _ in range(1000)]
    words = [len(text.split()) for text in texts]
    assert 25 <= np.median(words) <= 60
    assert max(words) <= 75
    assert len(set(texts)) >= 980


def test_drawn_studies_range_from_none_to_five_lesions_and_vary_in_everything() -> None:
    generator = np.random.default_rng(3)
    drawn = [draw_findings(generator) for _ in range(3000)]
    counts = [len(findings.lesions) for findings in drawn]
    assert set(counts) == set(range(MAX_LESIONS + 1))
    assert 0.08 < np.mean([count == 0 for count in counts]) < 0.15
    percents = {percent for findings in drawn for percent in findings.lesions.values()}
    assert percents == set(PERCENTS)
    assert {name for findings in drawn for name in findings.lesions} == set(SEGMENTS)
    assert all(findings.lesions.get("left_main", 0) < 100 for findings in drawn)
    for field in ("dominance", "flow", "tortuous", "calcified", "sternal_wires", "pacemaker"):
        assert len({getattr(findings, field) for findings in drawn}) == 2


def test_no_lesion_is_drawn_at_rate_zero() -> None:
    generator = np.random.default_rng(4)
    assert all(not draw_findings(generator, lesion_rate=0.0).lesions for _ in range(50))


def test_the_same_seed_draws_the_same_study_and_report() -> None:
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    findings = draw_findings(first)
    assert draw_findings(second) == findings
    assert write_report(findings, first) == write_report(findings, second)


def test_findings_survive_json_and_keep_the_anatomical_order() -> None:
    findings = dataclasses.replace(QUIET, lesions={"plv": 40, "left_main": 60})
    record = json.loads(json.dumps(findings.to_json()))
    assert list(record["lesions"]) == ["left_main", "plv"]
    assert Findings(**record) == findings


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("lesions", {"proximal_lda": 50}, "proximal_lda"),
        ("lesions", {"d1": 0}, "1 to 100"),
        ("flow", 1, "TIMI 2 or 3"),
    ],
)
def test_findings_that_do_not_exist_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Findings(**{**QUIET.to_json(), field: value})


def test_a_negative_lesion_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="lesion_rate"):
        draw_findings(np.random.default_rng(0), lesion_rate=-1.0)
