"""The list of studies of a set: who, what, which views, which report; nothing is rendered here."""

from dataclasses import replace

import numpy as np

from cinelex.core.randomness import keyed_seed, numpy_generator
from cinelex.data.synthetic.cines.cine import CinePlan
from cinelex.data.synthetic.cines.findings import SEGMENTS, Findings, draw_findings
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import StudyPlan
from cinelex.data.synthetic.cines.views import STANDARD_VIEWS, VIEWS, View

REPORT_ATTEMPTS = 50
"""How often findings and report are drawn anew to get a text that no earlier study has."""


def plan_studies(settings: StudySetSettings) -> list[StudyPlan]:
    """Draw all studies of a set, train first."""
    plans: list[StudyPlan] = []
    used: set[str] = set()
    by_split: dict[str, list[StudyPlan]] = {}
    for split, count in settings.split_studies.items():
        same_split = by_split.setdefault(split, [])
        for _ in range(count):
            plan = _plan_study(settings, len(plans), split, same_split, by_split["train"], used)
            used.add(plan.report)
            plans.append(plan)
            same_split.append(plan)
    return plans


def _plan_study(
    settings: StudySetSettings, number: int, split: str, same_split: list[StudyPlan],
    train: list[StudyPlan], used: set[str],
) -> StudyPlan:  # fmt: skip
    """Draw one study.

    It may repeat one of `same_split`, or take its patient from there or, leaking, from `train`.
    """
    draw = numpy_generator(settings.seed, "study", number)
    copies, repeats, leaks, noisy = draw.random(4)
    findings, report = _draw_text(settings, number, used)
    if same_split and copies < settings.duplicate_report_rate:
        twin = same_split[int(draw.integers(len(same_split)))]
        findings, report = twin.findings, twin.report
    elif noisy < settings.label_noise:
        report = write_report(
            draw_findings(draw, lesion_rate=settings.lesion_rate),
            numpy_generator(number, "noise"),
            variety=settings.report_variety,
        )
    patient_id = f"patient-{number:06d}"
    if split == "test" and train and leaks < settings.patient_leak:
        patient_id = train[int(draw.integers(len(train)))].patient_id
    elif same_split and repeats < settings.repeat_patient_rate:
        patient_id = same_split[int(draw.integers(len(same_split)))].patient_id
    views = _draw_views(draw, settings)
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
        report = write_report(
            findings,
            numpy_generator(settings.seed, "report", number, attempt),
            variety=settings.report_variety,
        )
        if report not in used:
            break
    return findings, report


def _draw_views(draw: np.random.Generator, settings: StudySetSettings) -> list[View]:
    """Return the three standard views, or as many of the study's own, and now and then a fourth."""
    own, misses, extra = draw.random(3)
    views = list(STANDARD_VIEWS)
    drawn = int(extra < settings.extra_view_rate)
    if own < settings.random_view_rate:
        views = [_another(draw, side, views=[]) for side in ("left", "right")]
        drawn += 1
    for _ in range(drawn):
        views.append(_another(draw, "left" if draw.random() < 0.5 else "right", views=views))
    if misses < settings.missing_view_rate:
        kept = ("right", "left")[int(draw.integers(2))]
        views = [view for view in views if view.side == kept]
        if len(views) == 1:
            views.append(_another(draw, views[0].side, views=views))
    return views


def _another(draw: np.random.Generator, side: str, *, views: list[View]) -> View:
    """Return a view of one artery that is not among ``views``."""
    rest = [view for view in VIEWS[side] if view not in views]
    return rest[int(draw.integers(len(rest)))]


def counterfactual(
    plan: StudyPlan, settings: StudySetSettings, *, segment: str, percent: int
) -> StudyPlan:
    """Return the same study with one narrowing changed, in the pixels and in the report.

    Anatomy, cameras, motion, noise and the places of all lesions stay as they are. The settings are
    those of the plan; ``percent`` is the new diameter stenosis, and 0 heals the segment.

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
        report=write_report(
            findings,
            numpy_generator(settings.seed, "report", plan.id),
            variety=settings.report_variety,
        ),
        cines=tuple(replace(cine, findings=findings) for cine in plan.cines),
    )
