"""What must not leave a made-up hospital: every name, id, date and phrase that it invented."""

from collections.abc import Sequence
from typing import Any, Final

from cinelex.data.synthetic.hospital.headers import PRIVATE_MAKER, WRITER
from cinelex.data.synthetic.hospital.people import SITES, Person
from cinelex.data.synthetic.hospital.visits import Visit

FIXED: Final = (
    "ZQSTATION", "ZQPACS", "ZQDISC", "ZQVIEW", "ZQEDIT", PRIVATE_MAKER, WRITER, "+999 5550 7711",
    *(f"ZQSN{layout}8841" for layout in range(4)),
)  # fmt: skip
"""Of machines and programs."""
DAY_FORMS: Final = ("%Y%m%d", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y")


def list_canaries(visits: Sequence[Visit]) -> list[dict[str, Any]]:
    """Return what to look for: the text, what it is, and the study where it belongs to one.

    A `phrase` may stand nowhere; a `study_date` not beside its own study, for another patient's
    date may be moved to it; all others nowhere outside the private folder.
    """
    found: dict[tuple[str, str, str | None], None] = {}
    for text in FIXED:
        found["private", text, None] = None
    for site in SITES:
        found["place", site.name, None] = None
        found["place", site.address, None] = None
    for visit in visits:
        patient, study = visit.patient, visit.plan.id
        for person in (patient.name, visit.referrer, visit.reader):
            found |= {("name", text, None): None for text in _forms(person)}
        found["id", patient.id, None] = found["id", visit.accession, None] = None
        found["uid", visit.study_uid, None] = None
        found["phrase", visit.phrase, study] = None
        found |= {("birth_date", patient.birth.strftime(form), None): None for form in DAY_FORMS}
        found |= {("study_date", visit.when.strftime(form), study): None for form in DAY_FORMS}
        moment = visit.when.strftime("%Y%m%d%H%M%S")
        found["time", moment, None] = None
    return [{"text": text, "kind": kind, "study": study} for kind, text, study in found]


def _forms(person: Person) -> tuple[str, ...]:
    """Return the parts of a name, with and without accents."""
    return person.family, person.given, *person.screen.split("^")
