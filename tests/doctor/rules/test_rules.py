"""Each rule on a run that has what it looks for, and on one that has not."""

from dataclasses import replace

import pytest

from cinelex.config.schedule import learning_rate
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Severity, render, worst_first
from cinelex.doctor.rules import RULES
from cinelex.doctor.rules.predictions import PREDICTIONS
from cinelex.projects import PROJECTS
from cinelex.projects.interface.results import Results
from cinelex.projects.interface.terms import Term
from tests.doctor.records import (
    CONFIG,
    HEALTHY,
    MEASURED,
    RESULTS,
    found,
    step_row,
    steps,
    with_diagnostics,
    with_steps,
)
from tests.doctor.rules.sick import (
    AGAIN,
    CLAMPED,
    ROLLED_BACK,
    SAME,
    SICK,
    configured,
    reversed_encoders,
    unmatched,
)
from tests.doctor.rules.sick_second import late, twin


def test_a_healthy_run_has_no_finding() -> None:
    assert diagnose(HEALTHY) == []


def test_no_evidence_is_no_finding() -> None:
    assert diagnose(Evidence()) == []


@pytest.mark.parametrize(
    ("rule", "severity", "says", "evidence"), SICK, ids=[f"{r}-{s}" for r, _, s, _ in SICK]
)
def test_a_rule_finds_what_it_looks_for(
    rule: str, severity: Severity, says: str, evidence: Evidence
) -> None:
    first = next(finding for finding in found(evidence, rule) if says in finding.statement)
    assert first.severity == severity
    text = render(first)
    assert "\n" not in text
    assert f"`{first.key}`" in text
    assert all((first.formula, first.null, first.cause, first.remedy, first.next_measurement)), (
        "a finding says everything"
    )


@pytest.mark.parametrize(
    "evidence",
    [
        twin(0.6, 0.5, 0.8),  # too few twins to say
        twin(0.67, 0.59, 0.74),
        late(200, update_over_weight__study_head=0.0),
        with_steps(units__dead__video_encoder=0.8),  # as in the fresh model
        replace(HEALTHY, steps=[{**r, "unchanged/text_encoder": r["step"] % 10} for r in steps()]),
        replace(HEALTHY, steps=[{**r, "speed/memory_gib": 2 + (r["step"] > 250)} for r in steps()]),
        with_diagnostics(data__drift={"site": [0.6, 0.02]}),
    ],
)
def test_what_is_no_fault_is_not_named(evidence: Evidence) -> None:
    assert diagnose(evidence) == []


def test_tensors_of_a_tower_that_rests_may_stay_as_they_are() -> None:
    resting = unmatched(unchanged__text_encoder=2.0)
    assert found(resting, "N16") == []


def test_every_rule_has_a_sick_run_here() -> None:
    elsewhere = {"D23", "D24"}  # in test_eq_rules.py, beside the outputs that they read
    here = [rule for rule in RULES if rule not in PREDICTIONS]  # those: tests/doctor/predictions
    asked = [rule for rule in here if rule.check and rule.id not in elsewhere]
    spoke = {(rule.id, rule.name) for rule in asked for *_, sick in SICK if [*rule.findings(sick)]}
    assert spoke == {(rule.id, rule.name) for rule in asked}


@pytest.mark.parametrize(("rule", "evidence"), [(rule, e) for rule, _, _, e in SICK])
def test_a_finding_can_be_drawn_from_the_record(rule: str, evidence: Evidence) -> None:
    for finding in found(evidence, rule):
        if finding.course and finding.course[0] != "skipped":
            assert any(finding.course[0] in row for row in evidence.steps)


def test_the_worst_comes_first() -> None:
    sick = replace(
        with_diagnostics(data__reports_cut=0.5, check__repeat=1.0), steps=steps(grad_norm=8.0)
    )
    assert [(f.severity, f.rule) for f in diagnose(sick)] == [
        ("error", "D18"),
        ("warning", "D8"),
        ("note", "D15"),
    ]
    assert worst_first(reversed(diagnose(sick))) == diagnose(sick)


def test_young_runs_are_not_blamed_for_having_learned_nothing() -> None:
    young = [row for row in steps(loss__contrastive=3.469, embedding__study__cosine=0.99)][:150]
    assert diagnose(replace(HEALTHY, steps=young, captions=SAME, results=None)) == []


def test_embeddings_that_no_term_matches_are_compared_with_those_of_the_fresh_model() -> None:
    cone = {"embedding__study__cosine": 0.95, "embedding__gap": 1.4}
    unlearned = {"embedding__recall_at_1": 0.02, "embedding__rank": 0.49}
    assert {f.rule for f in diagnose(with_steps(**cone, **unlearned))} == {"D12", "D13"}
    assert diagnose(unmatched(**cone, **unlearned)) == []
    narrow = [
        {**row, "embedding/study/cosine": 0.999}
        if row["step"] > 5 and "embedding/gap" in row
        else row
        for row in unmatched(**cone).steps
    ]
    (finding,) = diagnose(replace(HEALTHY, steps=narrow))
    assert (finding.rule, finding.severity) == ("D12", "error")
    assert finding.measured == pytest.approx(0.001 / 0.05)


def test_a_live_run_is_judged_by_the_rates_of_its_newest_steps() -> None:
    config = configured(steps=5000)
    rows = [
        step_row(n, learning_rate=learning_rate(config.optimizer, step=n - 1, steps=5000))
        for n in range(3001, 4001)
    ]
    assert found(replace(HEALTHY, config=config, steps=rows), "D5") == []
    slow = [{**row, "learning_rate": 0.4 * row["learning_rate"]} for row in rows]
    assert len(found(replace(HEALTHY, config=config, steps=slow), "D5")) == 1


def test_nobody_is_blamed_before_twice_the_warm_up() -> None:
    slow = with_steps(loss__contrastive=3.469, embedding__study__cosine=0.97)
    assert {f.rule for f in diagnose(slow)} == {"D10", "D12"}
    optimizer = {**CONFIG.optimizer.model_dump(), "warmup_steps": 200}
    warming = replace(slow, config=configured(optimizer=optimizer))
    assert not {"D10", "D12"} & {f.rule for f in diagnose(warming)}


def test_steps_that_a_roll_back_leaves_out_are_finite() -> None:
    assert found(replace(HEALTHY, steps=ROLLED_BACK), "D15") == []


def test_what_the_user_chose_not_to_restore_may_differ() -> None:
    again = replace(HEALTHY, earlier_steps=AGAIN)
    assert len(found(again, "D20")) == 1
    config = configured(resume_skip=("optimizer.learning_rate",))
    assert found(replace(again, config=config), "D20") == []


def test_orders_of_a_few_studies_agree_by_chance() -> None:
    few = with_diagnostics(**{"data__order_repeats": 0.25, "data__order_repeats__chance": 0.5})
    assert found(few, "D9") == []


def test_a_weight_that_was_just_switched_on_is_judged_by_what_it_is_now() -> None:
    late = [{**row, "weight/captioning": 0.3 if row["step"] > 270 else 0.0} for row in steps()]
    assert found(replace(HEALTHY, steps=late), "D11") == []
    at_chance = [{**row, "loss/captioning": 6.6} for row in late]
    assert found(replace(HEALTHY, steps=at_chance), "D10") == []


def test_encoders_that_every_probe_orders_alike_are_not_named() -> None:
    assert found(reversed_encoders(0.0), "N12") == []


def test_a_share_within_the_noise_of_few_probes_is_no_verdict() -> None:
    few = replace(HEALTHY, steps=steps(gradient__norm__captioning=1000.0)[:100])
    assert found(few, "D11") == []


def test_results_that_moved_each_by_its_own_factor_are_believed() -> None:
    other = Results.from_json({**RESULTS, "losses": {"a": {"value": 3.0}, "b": {"value": 1.0}}})
    assert found(replace(HEALTHY, reference=other), "D22") == []
    assert found(replace(HEALTHY, reference=MEASURED), "D22") == [], "the same run is no forgery"


def test_a_finding_is_the_same_whatever_the_others_say() -> None:
    alone = found(CLAMPED, "D16")
    together = found(
        replace(CLAMPED, captions=SAME, diagnostics={**CLAMPED.diagnostics, "check/repeat": 1.0}),
        "D16",
    )
    assert alone == together


def test_a_matching_term_that_a_project_adds_is_asked_for_partners(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = unmatched(embedding__recall_at_1=0.02, embedding__rank=0.49)
    assert found(lost, "D13") == []
    added = Term(name="captioning", label="", unit="", matches=True)
    project = PROJECTS["multitask"]
    monkeypatch.setitem(
        PROJECTS, "multitask", replace(project, terms={**project.terms, "captioning": added})
    )
    assert len(found(lost, "D13")) == 1
