"""Predictions of a trained run in the files that CardioBench evaluates.

Source: github.com/BioMedIA-MBZUAI/CardioBench, evaluation/example_predictions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cinelex.trained.found import Fact
from cinelex.trained.reading import Study
from cinelex.trained.run import TrainedRun

VIEWS = ("A2C", "A3C", "A4C", "PSAX", "PLAX")
PROMPTS: Mapping[str, str] = {
    "A2C": "Apical two-chamber view.",
    "A3C": "Apical three-chamber view.",
    "A4C": "Apical four-chamber view.",
    "PSAX": "Parasternal short-axis view.",
    "PLAX": "Parasternal long-axis view.",
    "Other": "Another view.",
}


@dataclass(frozen=True, kw_only=True)
class Number:
    """A task whose answer is a measurement, as ``<name>_pred``."""

    id: str
    name: str
    attribute: str
    """Of the facts that heads were trained on; asked first."""
    prompt: str
    """With the value in braces; asked where a run has no such head."""
    values: Sequence[float]
    """That the prompt is asked with; the answer is their mean, weighted by their shares."""
    extra: Sequence[str] = ()
    """Columns that are copied from the split."""

    def answers(self, run: TrainedRun, studies: Sequence[Study]) -> list[dict[str, Any]]:
        """Return the columns of each study behind its id."""
        found = _facts(run, studies)
        values = [_value(study, self.attribute) for study in found] if found else []
        if not values or None in values:
            prompts = {f"{value:g}": [self.prompt.format(value)] for value in self.values}
            shares = run.zero_shot(studies, prompts)
            values = [sum(float(v) * share for v, share in row.items()) for row in shares]
        return [{f"{self.name}_pred": value} for value in values]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A task whose answer is yes or no, as ``<name>_pred`` and ``prob_<name>``."""

    id: str
    name: str
    attribute: str
    present: str
    """The prompt where it is there."""
    absent: str
    extra: Sequence[str] = ()
    order: Sequence[str] = ("pred", "prob")
    """Of the two columns; one is left out where the harness does not read it."""

    def answers(self, run: TrainedRun, studies: Sequence[Study]) -> list[dict[str, Any]]:
        """Return the columns of each study behind its id."""
        found = _facts(run, studies)
        chances = [_probability(study, self.attribute) for study in found] if found else []
        if not chances or None in chances:
            both = {"yes": [self.present], "no": [self.absent]}
            chances = [row["yes"] for row in run.zero_shot(studies, both)]
        names = {"pred": f"{self.name}_pred", "prob": f"prob_{self.name}"}
        return [
            {
                names[which]: int(chance >= 0.5) if which == "pred" else chance  # type: ignore[operator]
                for which in self.order
            }
            for chance in chances
        ]


@dataclass(frozen=True, kw_only=True)
class View:
    """A task whose answer is the view, as ``view_pred`` and ``prob_<view>``."""

    id: str
    views: Sequence[str] = VIEWS
    extra: Sequence[str] = ()

    def answers(self, run: TrainedRun, studies: Sequence[Study]) -> list[dict[str, Any]]:
        """Return the columns of each study behind its id."""
        shares = run.zero_shot(studies, {view: [PROMPTS[view]] for view in self.views})
        return [
            {"view_pred": max(row, key=row.__getitem__), **{f"prob_{v}": row[v] for v in row}}
            for row in shares
        ]


Task = Number | Finding | View


def _ef(key: str, *extra: str) -> Number:
    return Number(
        id=key,
        name="EF",
        attribute="ejection_fraction",
        prompt="Left ventricular ejection fraction is {:g} %.",
        values=range(10, 85, 5),
        extra=extra,
    )


def _thickness(name: str, what: str, values: Sequence[float]) -> Number:
    prompt = what + " is {:g} cm."
    return Number(
        id="HashedFileName", name=name, attribute=name.lower(), prompt=prompt, values=values
    )


_WALL = [0.4 + 0.1 * step for step in range(20)]
_WIDE = [2.5 + 0.25 * step for step in range(20)]
_RWMA = Finding(
    id="patient_id",
    name="rwma",
    attribute="wall_motion_abnormality",
    present="Regional wall motion is abnormal.",
    absent="Regional wall motion is normal.",
    order=("prob", "pred"),
)
TASKS: Mapping[str, Task] = {
    "CAMUS/EF": _ef("patient_id"),
    "EchoNet-Dynamic/EF": _ef("FileName"),
    "EchoNet-Pediatric/EF": _ef("FileName", "view"),
    "EchoNet-LVH/IVSd": _thickness("IVSd", "Septal thickness in diastole", _WALL),
    "EchoNet-LVH/LVPWd": _thickness("LVPWd", "Posterior wall thickness in diastole", _WALL),
    "EchoNet-LVH/LVIDd": _thickness("LVIDd", "Left ventricular diameter in diastole", _WIDE),
    "CardiacNet/ASD": Finding(
        id="unique_id",
        name="asd",
        attribute="atrial_septal_defect",
        present="Atrial septal defect.",
        absent="Intact atrial septum.",
    ),
    "CardiacNet/PAH": Finding(
        id="unique_id",
        name="pah",
        attribute="pulmonary_hypertension",
        present="Pulmonary arterial hypertension.",
        absent="Normal pulmonary artery pressure.",
    ),
    "HMCQU/stemi": Finding(
        id="unique_id",
        name="stemi",
        attribute="myocardial_infarction",
        present="Acute myocardial infarction.",
        absent="No myocardial infarction.",
        extra=("view",),
        order=("pred",),
    ),
    "TMED2/AS": Finding(
        id="study_id",
        name="as",
        attribute="aortic_stenosis",
        present="Aortic stenosis.",
        absent="No aortic stenosis.",
    ),
    "segRWMA/rwma": _RWMA,
    "CAMUS/view": View(id="unique_id"),
    "CardiacNet/view": View(id="unique_id"),
    "EchoNet-Dynamic/view": View(id="FileName"),
    "EchoNet-LVH/view": View(id="HashedFileName"),
    "EchoNet-Pediatric/view": View(id="FileName"),
    "HMCQU/view": View(id="unique_id"),
    "TMED2/view": View(id="query_key", views=(*VIEWS, "Other")),
    "segRWMA/view": View(id="patient_view_id"),
}
"""By the folders of the harness's example predictions."""


def _facts(run: TrainedRun, studies: Sequence[Study]) -> list[list[Fact]]:
    return run.facts(studies) if run.fact_writer is not None else []


def _value(study: Sequence[Fact], attribute: str) -> float | None:
    return next((fact.value for fact in study if fact.attribute == attribute), None)


def _probability(study: Sequence[Fact], attribute: str) -> float | None:
    return next((fact.probability for fact in study if fact.attribute == attribute), None)
