"""What rules of the second list look for, in a run that is healthy but for that."""

from collections.abc import Callable
from dataclasses import replace

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Severity
from cinelex.projects.interface.results import Group, Results, Score
from tests.doctor.records import HEALTHY, RESULTS, STEPS, steps, with_diagnostics, with_steps


def late(step: int, **values: float) -> Evidence:
    """Return the healthy run with other values of keys that it has, from a step on."""
    named = {key.replace("__", "/"): value for key, value in values.items()}
    changed = [
        {**row, **{key: value for key, value in named.items() if key in row}}
        if row["step"] > step
        else row
        for row in HEALTHY.steps
    ]
    return replace(HEALTHY, steps=changed)


def twin(value: float, low: float, high: float) -> Evidence:
    """Return the healthy run with a share of studies that tell their report from its denial."""
    score = Score(name="counterfactuals.negation", label="", value=value, low=low, high=high)
    group = Results(groups=[Group(title="", note="", scores=[score])])
    return replace(HEALTHY, results=Results.from_json({**RESULTS, **group.as_json()}))


LEAKING = [{**row, "speed/memory_gib": 1 + row["step"] / 100} for row in steps()]
STALLING = [{**row, "step_ms": 3000.0 if row["step"] % 5 == 3 else 100.0} for row in steps()]


def taught(course: Callable[[float], tuple[float, float]]) -> Evidence:
    """Return the healthy run with a loss of latents and a spread of its targets over the run."""
    pairs = [(row, course(row["step"] / STEPS)) for row in steps()]
    keys = ("loss/masked_modeling", "teacher/spread")
    return replace(HEALTHY, steps=[{**r, **dict(zip(keys, c, strict=True))} for r, c in pairs])


def hill(done: float) -> tuple[float, float]:
    """Return a loss that rises and drops, and targets that become alike behind its peak."""
    return 0.3 - (done - 0.5) ** 2, 0.5 - 0.5 * max(0.0, done - 0.5)


SECOND: list[tuple[str, Severity, str, Evidence]] = [
    ("N3", "warning", "standard deviations away", with_diagnostics(towers__video__pixels_off=1.9)),
    (
        "N14",
        "warning",
        "from 14x14 to 8x8 tokens",
        with_diagnostics(towers__video__interpolated=["positions from 14x14 to 8x8 tokens"]),
    ),
    ("N4", "error", "40.0 % of the tensors", with_diagnostics(towers__text__arrived=0.4)),
    ("N5", "warning", "repeat the frame before", with_diagnostics(data__repeated_frames=0.5)),
    ("N5", "note", "4.0 times as long", with_diagnostics(data__frame_rate_spread=4.0)),
    ("N9", "warning", "outside the beam", with_diagnostics(check__outside_beam=0.3)),
    ("N10", "note", "differ from those", with_diagnostics(data__drift={"site": [0.5, 0.004]})),
    ("N10", "warning", "mostly come after", with_diagnostics(data__dates_overlap=0.02)),
    (
        "N13",
        "error",
        "of different clips differ by only 5 %",
        taught(lambda d: (0.2, 0.4 if d < 0.1 else 0.02)),
    ),
    ("N13", "warning", "The loss rose to", taught(hill)),
    ("N13", "warning", "to the last bit", with_steps(teacher__distance=0.0)),
    ("N16", "warning", "did not change at all", with_steps(unchanged__text_encoder=2.0)),
    ("N16", "warning", "changes study_head by 90", with_steps(update_over_weight__study_head=0.9)),
    ("N16", "warning", "are inactive for every", late(200, units__dead__video_encoder=0.8)),
    ("N16", "warning", "are saturated for every", late(200, units__saturated__aggregator=0.8)),
    ("N17", "warning", "Process 1", with_steps(straggler__slower=2.0, straggler__rank=1.0)),
    ("N17", "note", "more than 5 times", replace(HEALTHY, steps=STALLING)),
    ("N17", "warning", "Memory grew", replace(HEALTHY, steps=LEAKING)),
    ("N19", "warning", "one that denies", twin(0.52, 0.45, 0.6)),
]
