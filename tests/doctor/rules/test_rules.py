"""Each rule on a run that has what it looks for, and on one that has not."""

from dataclasses import replace
from typing import Any

import pytest

from cinelex.config.schedule import learning_rate
from cinelex.config.schema import RunConfig
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence, Sweep
from cinelex.doctor.finding import Severity, render, worst_first
from cinelex.doctor.rules import RULES
from tests.doctor.records import (
    CAPTIONS,
    CONFIG,
    HEALTHY,
    RESULTS,
    STEPS,
    found,
    rate,
    scored,
    step_row,
    steps,
    with_diagnostics,
    with_steps,
)


def configured(**changes: Any) -> RunConfig:
    return RunConfig.model_validate({**CONFIG.model_dump(), **changes})


def swept(*keys: str, objective: str = "retrieval/recall_at_1") -> Evidence:
    return replace(HEALTHY, sweep=Sweep(keys, objective))


def with_results(**changes: Any) -> Evidence:
    return replace(HEALTHY, results={**RESULTS, **changes})


def rates(shape: Any) -> Evidence:
    return replace(
        HEALTHY, steps=[step_row(n, learning_rate=shape(n)) for n in range(1, STEPS + 1)]
    )


def made_up(factor: float) -> dict[str, Any]:
    scores = {name: scored(factor * 0.1 * n, shuffled=0.1 * n) for n, name in enumerate("abcd", 2)}
    return {**RESULTS, "captioning": scores}


def unmatched(**changes: Any) -> Evidence:
    return with_steps(weight__contrastive=0.0, **changes)


HOT = {"temperature": 10.0, "learn_temperature": False}
WARMING = {"temperature": {"start": 0.1, "end": 10.0}, "learn_temperature": False}
ALIGNED = {"project": "latent", "loss_weights": {"alignment": 1.0}}
WORDS = {"project": "eq", "loss_weights": {"descriptors": 1.0}}
PATCHES = {"loss_weights": {"captioning": 1.0}, "patch_contrastive_weight": 1.0}
SIGLIP = configured(contrastive={"name": "siglip"})
LOST = [{**row, "grad_norm": None} if row["step"] % 9 == 0 else row for row in steps()]
ROLLED_BACK = [step_row(n, skipped=float(n % 9 == 0)) for n in range(1, STEPS + 1)]
AGAIN = [{**row, "loss": 1.01 * row["loss"]} for row in steps()[200:205]]
SAME = [{**row, "caption": "Normal coronary arteries."} for row in CAPTIONS]
NORMAL = [
    {"reference": "Normal." if n % 20 < 11 else f"{n}% stenosis.", "caption": "Normal."}
    for n in range(100)
]
CLAMPED = with_steps(temperature=0.01)
BLIND = {**RESULTS["losses"], "captioning": {**RESULTS["losses"]["captioning"]}}
BLIND["captioning"]["other_studys_video"] = 1.1000001
DIM = {**BLIND, "captioning": {**BLIND["captioning"], "other_studys_video": 1.101}}
HEARTED = {**RESULTS["losses"], "contrastive": {"value": 3.3, "chance": 3.47}}
FACTLESS = {
    **RESULTS["captioning"],
    "lesion_f1_10pp": scored(0.1, shuffled=0.1),
    "number_recall": scored(0.2, shuffled=0.2),
}

SICK: list[tuple[str, Severity, str, Evidence]] = [
    ("D1", "error", "is no key", swept("optimizer.learning_rat")),
    ("D1", "error", "read by nothing", swept("model.mask_ratio")),
    ("D1", "error", "objective", swept("loss_weights.captioning", objective="loss")),
    ("D1", "error", "objective", swept("temperature", objective="loss/contrastive")),
    ("D2", "error", "in no group", with_diagnostics(optimizer__ungrouped=["study_head.weight"])),
    ("D2", "error", "two groups", with_diagnostics(optimizer__twice=["study_head.weight"])),
    ("D2", "error", "no loss term", with_diagnostics(parameters__unmoved=["a", "b", "c", "d"])),
    ("D2", "error", "were asked for", with_diagnostics(model__frozen__video_encoder=0.03)),
    ("D3", "error", "no gradient", with_diagnostics(terms__without_gradient=["captioning"])),
    ("D3", "error", "exactly 0", with_steps(gradient__norm__captioning=0.0)),
    ("D4", "error", "of chance", replace(HEALTHY, config=configured(temperature=10.0))),
    ("D4", "error", "of chance", replace(HEALTHY, config=configured(**HOT, **ALIGNED))),
    ("D4", "error", "of chance", replace(HEALTHY, config=configured(**HOT, **WORDS))),
    ("D4", "error", "of chance", replace(HEALTHY, config=configured(**HOT, **PATCHES))),
    ("D4", "warning", "of chance", replace(HEALTHY, config=configured(**WARMING))),
    ("D4", "error", "no bias", replace(HEALTHY, config=SIGLIP)),
    ("D4", "warning", "bias of 0.0", replace(with_diagnostics(model__bias=0.0), config=SIGLIP)),
    ("D5", "error", "rose again", rates(lambda n: 1e-3 if n > 250 else rate(n))),
    ("D5", "error", "should end", rates(lambda n: max(rate(n), 5e-4))),
    ("D5", "error", "warm-up takes", rates(lambda n: 0.035 * rate(n))),
    ("D5", "error", "not finite", rates(lambda n: float("nan") if n == 7 else rate(n))),
    ("D6", "error", "gradient", with_diagnostics(ranks__gradient_error=0.5)),
    ("D6", "error", "term", with_diagnostics(ranks__term_error=2e-4)),
    ("D6", "error", "cut in two", with_diagnostics(parts__term_error=0.01)),
    ("D6", "error", "gradient of a batch cut", with_diagnostics(parts__gradient_error=0.5)),
    ("D6", "error", "half precision differs", with_diagnostics(half__term_error=0.01)),
    ("D6", "error", "from the exact", with_diagnostics(half__gradient_error=0.18)),
    ("D7", "error", "seen", with_diagnostics(check__visible_tokens=0)),
    ("D7", "error", "hidden", with_diagnostics(check__hidden_tokens=0)),
    ("D7", "error", "same prediction", with_diagnostics(check__prediction_spread=0.0)),
    ("D8", "error", "padding", with_diagnostics(check__padding_effect=0.1)),
    ("D8", "warning", "cut off", with_diagnostics(data__reports_cut=0.3)),
    ("D8", "warning", "spelled", with_diagnostics(data__tokens_a_percentage=4.0)),
    (
        "D9",
        "error",
        "10.0 % of the held-out",
        with_diagnostics(data__held_out_of_training_patients=20),
    ),
    ("D9", "error", "video", with_diagnostics(data__held_out_with_training_videos=1)),
    ("D9", "note", "share their", with_diagnostics(data__duplicate_reports=0.8)),
    ("D9", "warning", "share theirs", with_diagnostics(data__same_report_in_batch=0.8)),
    ("D9", "error", "constant", with_diagnostics(data__constant_videos=0.01)),
    ("D9", "warning", "look like", with_diagnostics(data__repeated_videos=0.2)),
    ("D9", "warning", "one video", with_diagnostics(data__single_video_studies=0.9)),
    ("D9", "warning", "fewer frames", with_diagnostics(data__short_videos=0.5)),
    ("D9", "error", "epoch before", with_diagnostics(data__order_repeats=1.0)),
    ("D10", "error", "knows nothing", with_steps(loss__contrastive=3.469)),
    (
        "D10",
        "warning",
        "no model can beat",
        with_steps(loss__contrastive=1.001, floor__contrastive=1.0),
    ),
    ("D11", "warning", "next to nothing", with_steps(gradient__norm__captioning=1000.0)),
    ("D11", "warning", "against", with_steps(**{"gradient__cosine__captioning~contrastive": -0.6})),
    ("D12", "error", "collapsed", with_steps(embedding__study__cosine=0.97)),
    ("D12", "error", "collapsed", with_steps(embedding__study__rankme=1.1)),
    ("D12", "warning", "apart", with_steps(embedding__gap=1.6)),
    ("D13", "error", "partner", with_steps(embedding__recall_at_1=0.02, embedding__rank=0.49)),
    ("D14", "error", "shrink", with_steps(decay_over_update__text_encoder=40.0)),
    ("D14", "note", "weighs 0", unmatched(decay_over_update__text_encoder=40.0)),
    ("D15", "error", "left out", replace(HEALTHY, steps=LOST)),
    ("D15", "error", "left out", with_steps(grad_norm=float("inf"))),
    ("D15", "note", "1 of 50 steps", replace(HEALTHY, steps=[*steps()[:49], LOST[8]])),
    ("D15", "note", "longer than the limit", with_steps(grad_norm=8.0)),
    ("D15", "warning", "longer than the limit", with_steps(grad_norm=800.0)),
    ("D16", "warning", "an end of its range", CLAMPED),
    ("D17", "error", "same caption", replace(HEALTHY, captions=SAME)),
    ("D17", "error", "same caption", replace(HEALTHY, captions=NORMAL)),
    ("D17", "error", "do not depend", with_results(losses=BLIND)),
    ("D17", "error", "do not depend", replace(with_results(losses=DIM), steps=())),
    ("D17", "note", "do not depend", with_results(losses=DIM)),
    ("D17", "note", "no more true findings", with_results(captioning=FACTLESS)),
    ("D18", "error", "Leaving out", with_diagnostics(check__view_dropped=0.0)),
    ("D18", "error", "do not exist", with_diagnostics(check__absent_view=0.1)),
    ("D18", "error", "twice", with_diagnostics(check__repeat=0.1)),
    ("D19", "warning", "dropped", with_diagnostics(data__refused_videos=0.2)),
    ("D19", "warning", "waiting", with_steps(wait_ms=60.0)),
    ("D20", "error", "after saving", with_diagnostics(resume__difference=0.3)),
    ("D20", "error", "made before the interruption", replace(HEALTHY, earlier_steps=AGAIN)),
    ("D21", "warning", "gone on others", with_results(losses=HEARTED)),
    ("D22", "error", "no hash", with_results(provenance={"config": "0" * 64})),
    ("D22", "error", "all moved by 50.00 %", replace(HEALTHY, results=made_up(1.5))),
]


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


def test_every_rule_has_a_sick_run_here() -> None:
    elsewhere = {"D23", "D24"}  # in test_eq_rules.py, beside the outputs that they read
    assert {rule for rule, *_ in SICK} | elsewhere == set(RULES)


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
    assert diagnose(replace(HEALTHY, steps=young, captions=SAME, results={})) == []


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


def test_held_out_losses_are_compared_with_the_chance_of_their_own_batch() -> None:
    losses = {**RESULTS["losses"], "contrastive": {"value": 2.485, "chance": 2.485}}
    (finding,) = found(with_results(losses=losses), "D21")
    assert finding.measured == pytest.approx(1.0)


def test_a_share_within_the_noise_of_few_probes_is_no_verdict() -> None:
    few = replace(HEALTHY, steps=steps(gradient__norm__captioning=1000.0)[:100])
    assert found(few, "D11") == []


def test_results_that_moved_each_by_its_own_factor_are_believed() -> None:
    other = {**RESULTS, "losses": {"a": {"value": 3.0}, "b": {"value": 1.0}}}
    assert found(replace(HEALTHY, reference=other), "D22") == []
    assert found(replace(HEALTHY, reference=RESULTS), "D22") == [], "the same run is no forgery"


def test_a_finding_is_the_same_whatever_the_others_say() -> None:
    alone = found(CLAMPED, "D16")
    together = found(
        replace(CLAMPED, captions=SAME, diagnostics={**CLAMPED.diagnostics, "check/repeat": 1.0}),
        "D16",
    )
    assert alone == together
