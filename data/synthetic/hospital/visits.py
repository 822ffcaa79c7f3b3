"""One visit of a patient to a made-up hospital: a study of the plan, with who, where and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cinelex.data.synthetic.cines.studies import StudyPlan
from cinelex.data.synthetic.hospital.people import Machine, Patient, Person, Site

TOP_AGE: Final = 90
"""What stands for every age above 89."""


@dataclass(frozen=True)
class Visit:
    """One study as the hospital knows it."""

    number: int
    plan: StudyPlan
    patient: Patient
    site: Site
    machine: Machine
    when: datetime
    accession: str
    study_uid: str
    referrer: Person
    reader: Person

    @property
    def age(self) -> int:
        """Full years on the day of the study."""
        day, birth = self.when, self.patient.birth
        return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))

    @property
    def phrase(self) -> str:
        """Words that stand in the report of this study and nowhere else, in no part to be kept."""
        return f"Zqphrase number {self.number} about Vexil the parrot"
