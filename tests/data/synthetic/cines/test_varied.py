"""Reports that hedge, compare, go on over sentences or leave out state what they mean to."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.data.synthetic.cines import varied, wording
from cinelex.data.synthetic.cines.findings import SEGMENTS, VESSELS, Findings, draw_findings
from cinelex.data.synthetic.cines.plan import counterfactual, plan_studies
from cinelex.data.synthetic.cines.reports import Report, compose_report, write_report
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.study_set import FORMAT
from cinelex.data.synthetic.sets import set_folder
from cinelex.metrics.facts import Fact, parse
from cinelex.metrics.facts.twins import CHANGES, Twins
from cinelex.metrics.facts.vocabulary import vocabulary

FORMS = {
    "hedged": varied.HEDGED,
    "unmeasured": varied.UNMEASURED,
    "unchanged": varied.UNCHANGED,
    "changed": varied.CHANGED,
    "continued": varied.CONTINUED,
}
EARLIER = {"year": "2019", "study": "the study of 2019"}
ATTRIBUTES = {
    "tortuous": "tortuosity",
    "calcified": "calcification",
    "sternal_wires": "sternal_wires",
    "pacemaker": "pacemaker",
}
SMALL = StudySetSettings(train_studies=120, val_studies=0, test_studies=40, report_variety=1.0)


def meant(findings: Findings, report: Report) -> set[Fact]:
    """Return what the report means to state, but for what its denials leave open."""
    facts = {
        Fact(findings.dominance, "dominance", 1.0, 1.0),
        Fact("study", "flow", float(findings.flow), float(findings.flow)),
    }
    for segment, percent in findings.lesions.items():
        way = report.ways.get(segment)
        low, high = (1, 100) if way == "unmeasured" else (percent, percent)
        hedged = way in ("hedged", "unmeasured")
        if way != "left_out":
            facts.add(Fact(segment, "stenosis", float(low), float(high), uncertain=hedged))
    for field, attribute in ATTRIBUTES.items():
        if getattr(findings, field):
            facts.add(Fact("study", attribute, 1.0, 1.0, uncertain=field in report.hedged))
    return facts


def check(findings: Findings, report: Report) -> None:
    facts = parse(report.text)
    assert {fact for fact in facts if not fact.negated} == meant(findings, report), report.text
    denied = {fact.segment for fact in facts if fact.negated and fact.attribute == "stenosis"}
    healthy = {name for name, parts in VESSELS.items() if findings.lesions.keys().isdisjoint(parts)}
    assert denied == healthy, report.text


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    variety=st.sampled_from((0.5, 1.0)),
    lesions=st.dictionaries(st.sampled_from(SEGMENTS), st.integers(1, 100), max_size=6),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_findings_told_in_any_way_are_read_as_they_were_meant(
    variety: float, lesions: dict[str, int], seed: int
) -> None:
    generator = np.random.default_rng(seed)
    findings = replace(draw_findings(generator), lesions=lesions)
    check(findings, compose_report(findings, generator, variety=variety))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FORMS)
def test_each_way_of_telling_is_exact_for_each_segment_name_and_percent_form(kind: str) -> None:
    uncertain = kind in ("hedged", "unmeasured")
    for template, segment, percent in itertools.product(FORMS[kind], SEGMENTS, (30, 100)):
        for name, form in itertools.product(wording.SEGMENT_NAMES[segment], wording.PERCENT_FORMS):
            text = template.format(
                place=name,
                percent=form.format(percent),
                old=form.format(50),
                severity=wording.severity_of(percent),
                a="a",
                **EARLIER,
            )
            low, high = (1.0, 100.0) if kind == "unmeasured" else (float(percent), float(percent))
            assert parse(text) == [Fact(segment, "stenosis", low, high, uncertain=uncertain)], text


def test_remarks_state_nothing() -> None:
    for template, study in itertools.product(varied.REMARKS, varied.STUDIES):
        told = study.format(year="2019", month=3)
        assert parse(template.format(year="2019", study=told)) == []


def test_all_ways_are_drawn_and_use_every_template() -> None:
    generator = np.random.default_rng(0)
    texts, ways = [], set()
    for _ in range(600):
        report = compose_report(draw_findings(generator), generator, variety=1.0)
        texts.append(report.text)
        ways |= set(report.ways.values())
    assert ways == set(varied.WAYS)
    whole = " ".join(texts)
    hedges = tuple(text for forms in varied.HEDGED_PRESENT.values() for text in forms)
    for template in (*itertools.chain(*FORMS.values()), *varied.REMARKS, *hedges):
        pattern = re.sub(r"\\{[^}]+\\}", "[^.]+", re.escape(template))
        assert re.search(pattern, whole, re.IGNORECASE), template


def test_without_variety_a_report_is_what_it_always_was() -> None:
    findings = Findings(
        lesions={"left_main": 50, "om1": 70},
        dominance="right",
        flow=3,
        tortuous=True,
        calcified=False,
        sternal_wires=False,
        pacemaker=True,
    )
    assert write_report(findings, np.random.default_rng(5)) == (
        "Right coronary dominance. The left main shows moderate disease, 50%. 70% stenosis of the "
        "first obtuse marginal. Other vessels without significant disease. TIMI flow grade 3. "
        "Tortuous vessels. Pacemaker in place."
    )


def test_a_set_keeps_the_lesions_that_its_reports_leave_out() -> None:
    plans = plan_studies(SMALL)
    said = [{fact.segment for fact in parse(plan.report) if not fact.negated} for plan in plans]
    left_out = [set(plan.findings.lesions) - own for plan, own in zip(plans, said, strict=True)]
    lesions = sum(len(plan.findings.lesions) for plan in plans)
    assert sum(map(len, left_out)) / lesions == pytest.approx(varied.WAYS["left_out"], abs=0.04)


def test_a_counterfactual_study_is_told_in_the_same_grammar() -> None:
    plan = next(p for p in plan_studies(SMALL) if "mid_lad" in p.findings.lesions)
    healed = counterfactual(plan, SMALL, segment="mid_lad", percent=0)
    assert "mid_lad" not in {fact.segment for fact in parse(healed.report) if not fact.negated}


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_twins_of_varied_reports_differ_in_one_fact(change: str) -> None:
    generator = np.random.default_rng(0)
    drawn = (draw_findings(generator) for _ in range(60))
    reports = [write_report(findings, generator, variety=1.0) for findings in drawn]
    twins = Twins(reports, vocabulary("coronary"))
    found = [twins.of(report, change, np.random.default_rng(1)) for report in reports]  # type: ignore[arg-type]
    assert sum(twin is not None for twin in found) > 0.5 * len(reports)
    for report, twin in zip(reports, found, strict=True):
        if twin is not None:
            before, after = set(parse(report)), set(parse(twin))
            assert len(before - after) == 1
            assert sum(not fact.negated for fact in after - before) <= 1


def test_a_set_that_was_made_before_a_setting_came_keeps_its_folder() -> None:
    folder = set_folder("synthetic", StudySetSettings(), Path(), version=FORMAT)
    assert folder.name == "synthetic-bc1411c811cb7a19"
