"""What each rule looks for, in a run that is healthy but for that."""

import math
from dataclasses import replace
from typing import Any

from cinelex.config.schema import RunConfig
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Severity
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Estimate, Group, Null, Results, Score
from tests.doctor.records import (
    CAPTIONS,
    CONFIG,
    HEALTHY,
    RESULTS,
    RISING,
    STEPS,
    rate,
    scored,
    step_row,
    steps,
    with_diagnostics,
    with_steps,
)
from tests.doctor.rules.sick_second import SECOND


def configured(**changes: Any) -> RunConfig:
    return RunConfig.model_validate({**CONFIG.model_dump(), **changes})


def with_results(**changes: Any) -> Evidence:
    return replace(HEALTHY, results=Results.from_json({**RESULTS, **changes}))


def beside_ridge(margin: float) -> Evidence:
    """Return the healthy run with one recall, that much above ridge regression."""
    null = Null(value=0.3, margin=Estimate(value=margin, low=margin - 0.1, high=margin + 0.1))
    recall = Score(
        name="found.recall_at_10", label="", value=0.3 + margin, nulls={"ridge_pixels": null}
    )
    return with_results(**Results(groups=[Group(title="", note="", scores=[recall])]).as_json())


def beside_null(null: str, margin: float) -> Evidence:
    """Return the healthy run with one recall, that much above a null, give or take 0.1."""
    ends = Estimate(value=margin, low=margin - 0.1, high=margin + 0.1)
    nulls = {null: Null(value=0.3, margin=ends)}
    recall = Score(
        name="found.recall_at_5", label="", value=0.3 + margin, nulls=nulls, better="higher"
    )
    return with_results(**Results(groups=[Group(title="", note="", scores=[recall])]).as_json())


def measured(name: str, value: float, high: float, nulls: dict[str, Null]) -> Evidence:
    """Return the healthy run with one more score."""
    score = Score(name=name, label="", value=value, low=0.0, high=high, nulls=nulls)
    return with_results(**Results(groups=[Group(title="", note="", scores=[score])]).as_json())


def subgroup(effect: float, holm: float) -> Evidence:
    """Return the healthy run with one subgroup, so much worse or better than the rest."""
    row = {"score": "Recall at 1", "column": "sex", "value": "F", "items": 40, "patients": 38}
    row |= {"mean": 0.4, "low": 0.3, "high": 0.5, "overall": 0.6, "effect": effect, "holm": holm}
    return with_results(tables=[{"name": "subgroups", "title": "", "note": "", "rows": [row]}])


def calibrated(value: float) -> Evidence:
    """Return the healthy run with a calibration error, where chance alone goes to 0.05."""
    null = Null(value=0.03, low=0.01, high=0.05, margin=Estimate(value=None))
    return measured("facts.a.calibration_error", value, 1.0, {"calibrated_model": null})


def reversed_encoders(pairs: float) -> Evidence:
    """Return the healthy run with two encoders that two probes order so many times differently."""
    score = Score(name="probing.fairness.reversed_pairs", label="", value=pairs)
    rows = [{"encoder": "one", "tokens a clip": 16}, {"encoder": "other", "tokens a clip": 196}]
    table = Table(name="encoders", title="", note="", rows=rows)
    results = Results(groups=[Group(title="", note="", scores=[score])], tables=[table])
    return with_results(**results.as_json())


def rates(shape: Any) -> Evidence:
    return replace(
        HEALTHY, steps=[step_row(n, learning_rate=shape(n)) for n in range(1, STEPS + 1)]
    )


def made_up(factor: float) -> Results:
    scores = {name: scored(factor * 0.1 * n, shuffled=0.1 * n) for n, name in enumerate("abcd", 2)}
    return Results.from_json({**RESULTS, "captioning": scores})


def young_at_chance() -> Evidence:
    """Return the first steps of a run whose terms are where they began."""
    rows = [row for row in steps() if row["step"] <= 30]
    return replace(
        HEALTHY, steps=[{**r, "loss/contrastive": 3.465, "loss/captioning": 6.6} for r in rows]
    )


def unmatched(**changes: Any) -> Evidence:
    return with_steps(weight__contrastive=0.0, **changes)


def latents(**changes: float) -> Evidence:
    """Return the healthy run with latents, in the last batch's numbers."""
    numbers = {"std": 0.5, "batch_std": 0.43, "max": 2.0, "std/bias": 0.5, **changes}
    named = {f"latent/{key}": value for key, value in numbers.items()}
    return replace(HEALTHY, steps=[{**row, **named} for row in steps()])


HOT = {"temperature": 10.0, "learn_temperature": False}
WARMING = {"temperature": {"start": 0.1, "end": 10.0}, "learn_temperature": False}
ALIGNED = {"project": "latent", "loss_weights": {"alignment": 1.0}}
WORDS = {"project": "eq", "loss_weights": {"descriptors": 1.0}}
PATCHES = {"loss_weights": {"captioning": 1.0, "patch_contrastive": 1.0}}
SIGLIP = configured(contrastive={"name": "siglip"})
LOST = [{**row, "grad_norm": None} if row["step"] % 9 == 0 else row for row in steps()]
ROLLED_BACK = [step_row(n, skipped=float(n % 9 == 0)) for n in range(1, STEPS + 1)]
AGAIN = [{**row, "loss": 1.01 * row["loss"]} for row in steps()[200:205]]
SAME = [{**row, "caption": "Normal coronary arteries."} for row in CAPTIONS]
NORMAL = [
    {"reference": "Normal." if n % 20 < 11 else f"{n}% stenosis.", "caption": "Normal."}
    for n in range(100)
]
NARROW = replace(
    unmatched(embedding__study__cosine=0.999),
    steps=[
        {**row, "embedding/study/cosine": 0.5} if row["step"] == 5 else row
        for row in unmatched(embedding__study__cosine=0.999).steps
    ],
)
CLAMPED = with_steps(temperature=0.01)
BLIND = {**RESULTS["losses"], "captioning": {**RESULTS["losses"]["captioning"]}}
BLIND["captioning"]["other_studys_video"] = 1.1000001
DIM = {**BLIND, "captioning": {**BLIND["captioning"], "other_studys_video": 1.101}}
BIGRAM = {"captioning": {**BLIND["captioning"], "unigram": 3.8, "bigram": 1.1}}
HEARTED = {**RESULTS["losses"], "contrastive": {"value": 3.3, "chance": 3.47}}
FACTLESS = {
    **RESULTS["captioning"],
    "lesion_f1_10pp": scored(0.1, shuffled=0.1),
    "number_recall": scored(0.2, shuffled=0.2),
}


SICK: list[tuple[str, Severity, str, Evidence]] = [
    *SECOND,
    ("D2", "error", "in no opt", with_diagnostics(optimizer__ungrouped=["study_head.weight"])),
    ("D2", "error", "in two opt", with_diagnostics(optimizer__twice=["study_head.weight"])),
    ("D2", "error", "No loss term", with_diagnostics(parameters__unmoved=["a", "b", "c", "d"])),
    ("D2", "error", "were asked for", with_diagnostics(model__frozen__video_encoder=0.03)),
    ("D2", "error", "were asked for", with_diagnostics(model__frozen__text_encoder=0.9)),
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
    ("D6", "error", "cut in two", with_diagnostics(micro_batches__term_error=0.01)),
    ("D6", "error", "gradient of a batch cut", with_diagnostics(micro_batches__gradient_error=0.5)),
    ("D6", "error", "in bf16 differs", with_diagnostics(bf16__term_error=0.01)),
    ("D6", "error", "from the exact", with_diagnostics(bf16__gradient_error=0.18)),
    ("D7", "error", "visible", with_diagnostics(check__visible_tokens=0)),
    ("D7", "error", "masked", with_diagnostics(check__hidden_tokens=0)),
    ("D7", "error", "same prediction", with_diagnostics(check__prediction_spread=0.0)),
    ("D8", "error", "padding", with_diagnostics(check__padding_effect=0.1)),
    ("D8", "warning", "cut off", with_diagnostics(data__reports_cut=0.3)),
    ("D8", "warning", "split into pieces", with_diagnostics(data__tokens_a_percentage=4.0)),
    (
        "D9",
        "error",
        "10.0 % of the held-out",
        with_diagnostics(data__held_out_of_training_patients=20),
    ),
    ("D9", "error", "video", with_diagnostics(data__held_out_with_training_videos=1)),
    ("D9", "note", "share their", with_diagnostics(data__duplicate_reports=0.8)),
    ("D9", "warning", "share theirs", with_diagnostics(data__same_report_in_batch=0.8)),
    ("D9", "note", "shares its label", with_diagnostics(data__same_label_in_batch=0.9)),
    ("D9", "error", "constant", with_diagnostics(data__constant_videos=0.01)),
    ("D9", "warning", "look like", with_diagnostics(data__repeated_videos=0.2)),
    ("D9", "warning", "one video", with_diagnostics(data__single_video_studies=0.9)),
    ("D9", "warning", "fewer frames", with_diagnostics(data__short_videos=0.5)),
    ("D9", "note", "heartbeat", with_diagnostics(data__beatless_clips=0.5)),
    ("D9", "error", "epoch before", with_diagnostics(data__order_repeats=1.0)),
    ("D10", "warning", "every term is still at chance", young_at_chance()),
    ("D10", "error", "its value at chance", with_steps(loss__contrastive=3.469)),
    (
        "D10",
        "warning",
        "the lowest value possible",
        with_steps(loss__contrastive=1.001, floor__contrastive=1.0),
    ),
    ("D11", "warning", "hardly affects", with_steps(gradient__norm__captioning=1000.0)),
    ("D11", "warning", "against", with_steps(**{"gradient__cosine__captioning~contrastive": -0.6})),
    ("D12", "error", "collapsed", with_steps(embedding__study__cosine=0.97)),
    ("D12", "error", "collapsed", with_steps(embedding__study__rankme=1.1)),
    ("D12", "warning", "apart", with_steps(embedding__gap=1.6)),
    ("D12", "error", "between pictures", latents(batch_std=0.01)),
    ("D12", "error", "to the bias", latents(batch_std=0.01, max=math.sqrt(3) * 0.5)),
    ("D12", "error", "of the spread they had", NARROW),
    ("D13", "error", "partner", with_steps(embedding__recall_at_1=0.02, embedding__rank=0.49)),
    ("D14", "error", "shrink", with_steps(decay_over_update__text_encoder=40.0)),
    ("D14", "note", "weighs 0", unmatched(decay_over_update__text_encoder=40.0)),
    ("D15", "error", "left out", replace(HEALTHY, steps=LOST)),
    ("D15", "error", "left out", with_steps(grad_norm=float("inf"))),
    ("D15", "note", "1 of 50 steps", replace(HEALTHY, steps=[*steps()[:49], LOST[8]])),
    ("D15", "note", "exceed the clipping limit", with_steps(grad_norm=8.0)),
    ("D15", "warning", "exceed the clipping limit", with_steps(grad_norm=800.0)),
    ("D16", "warning", "an end of its range", CLAMPED),
    ("D17", "error", "same caption", replace(HEALTHY, captions=SAME)),
    ("D17", "error", "same caption", replace(HEALTHY, captions=NORMAL)),
    ("D17", "error", "hardly uses", with_results(losses=BLIND)),
    ("D17", "error", "hardly uses", replace(with_results(losses=DIM), steps=())),
    ("D17", "note", "hardly uses", with_results(losses=DIM)),
    ("D17", "note", "no more true findings", with_results(captioning=FACTLESS)),
    ("D17", "error", "a bigram model", with_results(losses=BIGRAM)),
    ("D18", "error", "Leaving out", with_diagnostics(check__view_dropped=0.0)),
    ("D18", "error", "padding counts as views", with_diagnostics(check__absent_view=0.1)),
    ("D18", "error", "twice", with_diagnostics(check__repeat=0.1)),
    ("D19", "warning", "dropped", with_diagnostics(data__refused_videos=0.2)),
    ("D19", "warning", "waiting", with_steps(wait_ms=60.0)),
    ("D20", "error", "after saving", with_diagnostics(resume__difference=0.3)),
    ("D20", "error", "made before the interruption", replace(HEALTHY, earlier_steps=AGAIN)),
    ("D21", "warning", "does not carry over", with_results(losses=HEARTED)),
    ("N15", "warning", "was best at step 60", replace(HEALTHY, validations=RISING)),
    ("N21", "warning", "beats the trained model", beside_ridge(-0.05)),
    ("N7", "warning", "blank video", beside_null("blank_video", 0.05)),
    ("N8", "warning", "metadata alone", beside_null("metadata", 0.05)),
    ("N6", "warning", "0.20 times", measured("facts.a.sd_ratio", 0.2, 0.3, {})),
    ("N11", "warning", "sex F", subgroup(-0.5, 0.01)),
    ("N18", "warning", "calibrated model", calibrated(0.2)),
    ("N12", "warning", "they give 16, 196 tokens a clip", reversed_encoders(2.0)),
    ("D22", "error", "no hash", with_results(provenance={"config": "0" * 64})),
    ("D22", "error", "all moved by 50.00 %", replace(HEALTHY, results=made_up(1.5))),
]
