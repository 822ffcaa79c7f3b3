"""Hand-made evidence: a run in which nothing is wrong, and what to change in it."""

from dataclasses import replace
from typing import Any

from cinelex.config.schema import RunConfig
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence, Row
from cinelex.doctor.finding import Finding
from cinelex.projects.interface.results import Results

STEPS = 300
PROBE_EVERY = 5

CONFIG = RunConfig.model_validate(
    {
        "name": "test",
        "steps": STEPS,
        "batch": 32,
        "loss_weights": {"contrastive": 2.0, "captioning": 0.3},
        "learn_temperature": True,
        "temperature": 0.1,
        "max_grad_norm": 1.0,
        "probe_every": PROBE_EVERY,
        "optimizer": {"warmup_steps": 10, "learning_rate": 1e-3, "final_learning_rate": 1e-5},
    }
)

DIAGNOSTICS: dict[str, Any] = {
    "data/studies": 1000,
    "data/duplicate_reports": 0.02,
    "data/same_report_in_batch": 0.01,
    "data/same_label_in_batch": 0.02,
    "data/held_out_studies": 200,
    "data/held_out_of_training_patients": 0,
    "data/held_out_with_training_videos": 0,
    "data/single_video_studies": 0.0,
    "data/constant_videos": 0.0,
    "data/repeated_videos": 0.0,
    "data/short_videos": 0.0,
    "data/beatless_clips": 0.0,
    "data/repeated_frames": 0.001,
    "data/frame_rate_spread": 1.2,
    "data/drift": {"site": [0.3, 0.4], "length of the report": [0.1, 0.001]},
    "data/dates_overlap": 0.0,
    "check/outside_beam": 0.0,
    "data/refused_videos": 0.0,
    "data/pad_share": 0.3,
    "data/reports_cut": 0.0,
    "data/tokens_a_percentage": 1.5,
    "data/order_repeats": 0.001,
    "data/order_repeats/chance": 0.006,
    "check/repeat": 0.0,
    "check/absent_view": 2e-7,
    "check/view_dropped": 0.01,
    "check/padding_effect": 0.0,
    "check/visible_tokens": 8.0,
    "check/hidden_tokens": 8.0,
    "check/prediction_spread": 0.4,
    "model/frozen/video_encoder": 0.48,
    "model/frozen/video_encoder/asked": 0.5,
    "model/frozen/text_encoder": 0.0,
    "model/frozen/text_encoder/asked": 0.0,
    "towers/video/interpolated": [],
    "towers/video/pixels_off": 1e-7,
    "towers/video/arrived": 1.0,
    "towers/text/arrived": 1.0,
    "optimizer/ungrouped": [],
    "optimizer/twice": [],
    "terms/without_gradient": [],
    "parameters/unmoved": [],
    "towers/terms": {
        "text_encoder": ["contrastive"],
        "video_encoder": ["captioning", "contrastive"],
    },
    "ranks/term_error": 1e-7,
    "ranks/gradient_error": 1e-6,
    "micro_batches/term_error": 1e-7,
    "micro_batches/gradient_error": 1e-6,
    "bf16/term_error": 1e-7,
    "bf16/gradient_error": 1e-6,
    "resume/difference": 0.0,
}


def rate(step: int) -> float:
    """Return a warm-up of 10 steps and then a straight line to 1e-5 at the last."""
    if step <= 10:
        return 1e-3 * step / 10
    return 1e-3 + (1e-5 - 1e-3) * (step - 10) / (STEPS - 10)


def step_row(step: int, **changes: Any) -> Row:
    """Return the record of one step of a run that learns."""
    done = step / STEPS
    row: dict[str, Any] = {
        "step": step,
        "loss": 10 - 5 * done,
        "loss/contrastive": 3.4 - 1.5 * done,
        "chance/contrastive": 3.47,
        "floor/contrastive": 0.001,
        "weight/contrastive": 2.0,
        "loss/captioning": 6.0 - 5 * done,
        "chance/captioning": 6.6,
        "weight/captioning": 0.3,
        "temperature": 0.1 - 0.02 * done,
        "learning_rate": rate(step),
        "grad_norm": 0.5 + (step % 7) / 10,
        "skipped": 0.0,
        "teacher/distance": 0.02 + 0.1 * done,
        "teacher/spread": 0.4 + 0.2 * done,
        "step_ms": 100.0,
        "wait_ms": 5.0,
        "speed/memory_gib": 2.0,
    }
    if step % PROBE_EVERY == 0:
        row |= {
            "gradient/norm/contrastive": 1.0 + 0.01 * (step % 3),
            "gradient/norm/captioning": 2.0 + 0.01 * (step % 2),
            "gradient/cosine/captioning~contrastive": 0.05 - 0.1 * (step % 2),
            "decay_over_update/text_encoder": 0.01,
            "update_over_weight/text_encoder.blocks.0": 0.02,
            "update_over_weight/study_head": 0.01,
            "unchanged/text_encoder": 0.0,
            "units/dead/video_encoder": 0.1,
            "units/saturated/aggregator": 0.0,
            "straggler/slower": 1.05,
            "straggler/rank": float(step % 2),
            "embedding/study/std": 0.08,
            "embedding/study/rankme": 9.0,
            "embedding/study/cosine": 0.1,
            "embedding/study/uniformity": -2.2,
            "embedding/gap": 0.2,
            "embedding/margin": -0.05,
            "embedding/recall_at_1": 0.2,
            "embedding/recall_at_1/chance": 1 / 48,
            "embedding/recall_at_1/shuffled": 0.0,
            "embedding/rank": 0.15,
            "embedding/rank/chance": 0.5,
            "embedding/samples": 48.0,
        }
    probed = {key: value for key, value in changes.items() if key in row}
    return row | probed


def steps(**changes: Any) -> list[Row]:
    """Return the record of a whole run, with the same changes in every step that has the key."""
    named = {key.replace("__", "/"): value for key, value in changes.items()}
    return [step_row(step, **named) for step in range(1, STEPS + 1)]


def scored(value: float, *, shuffled: float) -> dict[str, Any]:
    """Return the score of captions beside that of shuffled ones, give or take 0.05."""
    margin = {"value": value - shuffled, "low": value - shuffled - 0.05, "high": 1.0}
    return {"value": value, "baselines": {"shuffled": {"value": shuffled, "margin": margin}}}


RESULTS: dict[str, Any] = {
    "retrieval": {
        "study_to_report": {
            "recall_at_1": {"value": 0.21, "low": 0.15, "high": 0.27, "chance": 0.01},
            "recall_at_5": {"value": 0.64},
            "mrr": {"value": 0.38},
        },
        "cosine_gap": {"value": 0.7},
    },
    "losses": {
        "contrastive": {"value": 2.0, "chance": 3.47},
        "captioning": {"value": 1.1, "chance": 6.6, "other_studys_video": 1.4},
    },
    "captioning": {
        "lesion_f1_10pp": scored(0.4, shuffled=0.1),
        "number_recall": scored(0.5, shuffled=0.2),
        "bleu4": scored(0.3, shuffled=0.25),
        "rougeL": scored(0.5, shuffled=0.41),
    },
    "provenance": {name: "0" * 64 for name in ("config", "data", "code", "checkpoint")},
}

CAPTIONS: list[Row] = [
    {"reference": f"{10 * n}% stenosis of the LAD", "caption": f"{10 * n}% stenosis of the RCA"}
    for n in range(12)
]

MEASURED = Results.from_json(RESULTS)
HEALTHY = Evidence(
    config=CONFIG, diagnostics=DIAGNOSTICS, steps=steps(), results=MEASURED, captions=CAPTIONS
)


def with_diagnostics(**changes: Any) -> Evidence:
    """Return the healthy run with other diagnostics; ``__`` in a name stands for ``/``."""
    named = {key.replace("__", "/"): value for key, value in changes.items()}
    assert named.keys() <= {*DIAGNOSTICS, "model/bias"}, "a diagnostic that nobody states"
    return replace(HEALTHY, diagnostics={**DIAGNOSTICS, **named})


def with_steps(**changes: Any) -> Evidence:
    """Return the healthy run with other values in every step."""
    return replace(HEALTHY, steps=steps(**changes))


def found(evidence: Evidence, rule: str) -> list[Finding]:
    """Return what one rule finds."""
    return [finding for finding in diagnose(evidence) if finding.rule == rule]


RISING = [
    {
        "step": step,
        "losses/contrastive": 2.0 + abs(step - 60) / 200 + (step % 40) / 4000,
        "losses/contrastive/chance": 2.485,
    }
    for step in range(20, 300, 20)
]
"""Held-out losses that were best early."""
