"""Who comes when and where to a made-up hospital; nothing is written here."""

from datetime import date, datetime, timedelta
from typing import Final, Literal

import numpy as np

from cinelex.core.randomness import keyed_seed, numpy_generator
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.studies import StudyPlan
from cinelex.data.synthetic.hospital.people import SITES, Patient, Person, uid
from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.visits import Visit

PERIODS: Final = {
    "train": (date(2013, 1, 1), date(2019, 1, 1)),
    "val": (date(2019, 1, 1), date(2020, 1, 1)),
    "test": (date(2020, 1, 1), date(2021, 1, 1)),
}
"""First day, and day after the last, of each split: splits by time are those of the plan."""
STARTS: Final = ("Zq", "Xv", "Qh", "Vz", "Jx", "Wq")
MIDDLES: Final = ("an", "or", "el", "ib", "um", "ost", "ir", "av", "ek", "ul", "ön", "ég")
ENDS: Final = ("drovik", "quell", "basto", "mirren", "thorpe", "jakovic", "fenzel", "wundt")
GIVEN_ENDS: Final = ("line", "bert", "mund", "zina", "dora", "phine", "wick", "rella")
OLDEST_BIRTH: Final = date(1918, 1, 1)
BIRTH_DAYS: Final = 25_000
PHYSICIANS: Final = 40


def plan_visits(settings: HospitalSettings) -> list[Visit]:
    """Return the visits in the order of the plan of studies."""
    plans = plan_studies(settings.studies)
    return [plan_visit(settings, number, plan) for number, plan in enumerate(plans)]


def plan_visit(settings: HospitalSettings, number: int, plan: StudyPlan) -> Visit:
    """Return where and when a study took place, and what it is called."""
    seed = settings.studies.seed
    draw = numpy_generator(seed, "visit", number)
    first, end = PERIODS[plan.split]
    when = datetime.combine(first, datetime.min.time()) + timedelta(
        days=int(draw.integers((end - first).days)), seconds=int(draw.integers(7 * 3600, 19 * 3600))
    )
    site = SITES[keyed_seed(seed, "site", plan.patient_id) % len(SITES)]
    ultrasound = draw.random() < settings.ultrasound_rate
    others = site.machines[1:]
    machine = others[int(draw.integers(len(others)))] if ultrasound else site.machines[0]
    return Visit(
        number, plan, draw_patient(plan.patient_id, seed=seed), site, machine, when,
        accession=f"QA{keyed_seed(seed, 'accession', number) % 10**6:06d}{number:05d}",
        study_uid=uid(seed, "study", number),
        referrer=draw_person(seed, "referrer", int(draw.integers(PHYSICIANS))),
        reader=draw_person(seed, "reader", int(draw.integers(PHYSICIANS))),
    )  # fmt: skip


def draw_person(*key: str | int) -> Person:
    """Return the name that belongs to a key."""
    draw = numpy_generator("person", *key)
    family = _pick(STARTS, draw) + _pick(MIDDLES, draw) + _pick(ENDS, draw)
    given = _pick(STARTS, draw) + _pick(MIDDLES[:-2], draw) + _pick(GIVEN_ENDS, draw)
    return Person(family, given)


def draw_patient(plan_id: str, *, seed: int) -> Patient:
    """Return the patient whom the plan of studies calls `plan_id`."""
    draw = numpy_generator(seed, "patient", plan_id)
    sex: Literal["F", "M"] = "F" if draw.random() < 0.45 else "M"
    return Patient(
        plan_id,
        id=f"QX{int(draw.integers(10**6, 10**7))}ZK",
        name=draw_person(seed, plan_id),
        birth=OLDEST_BIRTH + timedelta(days=int(draw.integers(BIRTH_DAYS))),
        sex=sex,
    )


def _pick(choices: tuple[str, ...], draw: np.random.Generator) -> str:
    return choices[int(draw.integers(len(choices)))]
