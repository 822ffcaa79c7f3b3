"""The list of studies of a set: who, what, which views, which report; nothing is rendered here."""

from dataclasses import replace

import numpy as np

from core.randomness import keyed_seed, numpy_generator
from data.synthetic.cine import CinePlan
from data.synthetic.findings import SEGMENTS, Findings, draw_findings
from data.synthetic.reports import write_report
from data.synthetic.settings import StudySetSettings
from data.synthetic.studies import StudyPlan
from data.synthetic.views import VIEWS, View

REPORT_ATTEMPTS = 50
"""How often findings and report are drawn anew to get a text that no earlier study has."""


def plan_studies(settings: StudySetSettings) -> list[StudyPlan]:
    """Draw all studies of a set, train first."""
    plans: list[StudyPlan] = []
    used: set[str] = set()
    train: list[StudyPlan] = []
    for split, count in settings.split_studies.items():
        same_split: list[StudyPlan] = []
        for _ in range(count):
            plan = _plan_study(settings, len(plans), split, same_split, train, used)
            used.add(plan.report)
            plans.append(plan)
            same_split.append(plan)
        if split == "train":
            train = same_split
    return plans


def _plan_study(
    settings: StudySetSettings, number: int, split: str, same_split: list[StudyPlan],
    train: list[StudyPlan], used: set[str],
) -> StudyPlan:  # fmt: skip
    """Draw one study.

    It may repeat one of `same_split`, or take its patient from there or, leaking, from `train`.
    """
    draw = numpy_generator(settings.seed, "study", number)
    copies, repeats, leaks, noisy, misses = draw.random(5)
    findings, report = _draw_text(settings, number, used)
    if same_split and copies < settings.duplicate_report_rate:
        twin = same_split[int(draw.integers(len(same_split)))]
        findings, report = twin.findings, twin.report
    elif noisy < settings.label_noise:
        report = write_report(
            draw_findings(draw, lesion_rate=settings.lesion_rate), numpy_generator(number, "noise")
        )
    patient_id = f"patient-{number:06d}"
    if split == "test" and train and leaks < settings.patient_leak:
        patient_id = train[int(draw.integers(len(train)))].patient_id
    elif same_split and repeats < settings.repeat_patient_rate:
        patient_id = same_split[int(draw.integers(len(same_split)))].patient_id
    views = _draw_views(draw, missing=bool(misses < settings.missing_view_rate))
    cines = tuple(
        CinePlan(
            findings, view,
            patient_seed=keyed_seed(settings.seed, "patient", patient_id),
            study_seed=keyed_seed(settings.seed, "lesions", number),
            view_seed=keyed_seed(settings.seed, "view", number, place),
        )
        for place, view in enumerate(views)
    )  # fmt: skip
    corrupted = tuple(bool(value < settings.corrupted_rate) for value in draw.random(len(views)))
    return StudyPlan(f"study-{number:06d}", patient_id, split, findings, report, cines, corrupted)


def _draw_text(settings: StudySetSettings, number: int, used: set[str]) -> tuple[Findings, str]:
    """Return findings and a report whose text is new, if one turns up."""
    for attempt in range(REPORT_ATTEMPTS):
        draw = numpy_generator(settings.seed, "findings", number, attempt)
        findings = draw_findings(draw, lesion_rate=settings.lesion_rate)
        report = write_report(findings, numpy_generator(settings.seed, "report", number, attempt))
        if report not in used:
            break
    return findings, report


def _draw_views(draw: np.random.Generator, *, missing: bool) -> list[View]:
    """Return one or two views of each artery, each time one that shows all segments well."""
    sides = ["left", "right"]
    if missing:
        sides.remove(sides[int(draw.integers(2))])
    views: list[View] = []
    for side in sides:
        table = VIEWS[side]
        first = int(draw.integers(2))
        views.append(table[first])
        if draw.random() < 0.5:
            rest = [view for place, view in enumerate(table) if place != first]
            views.append(rest[int(draw.integers(len(rest)))])
    if len(views) == 1:
        views.append(next(view for view in VIEWS[views[0].side] if view != views[0]))
    return views


def counterfactual(
    plan: StudyPlan, settings: StudySetSettings, *, segment: str, percent: int
) -> StudyPlan:
    """Return the same study with one narrowing changed, in the pixels and in the report.

    Anatomy, cameras, motion, noise and the places of all lesions stay as they are.

    Args:
        plan: The study.
        settings: The settings that it was planned with.
        segment: The segment whose narrowing changes.
        percent: The new diameter stenosis; 0 heals the segment.

    Raises:
        ValueError: the segment or the percentage does not exist.
    """
    if segment not in SEGMENTS or not 0 <= percent <= 100:
        raise ValueError(f"no narrowing of {percent} percent in {segment!r}")
    lesions = {name: value for name, value in plan.findings.lesions.items() if name != segment}
    if percent:
        lesions[segment] = percent
    findings = replace(plan.findings, lesions={n: lesions[n] for n in SEGMENTS if n in lesions})
    return replace(
        plan,
        id=f"{plan.id}-{segment}-{percent}",
        findings=findings,
        report=write_report(findings, numpy_generator(settings.seed, "report", plan.id)),
        cines=tuple(replace(cine, findings=findings) for cine in plan.cines),
    )
