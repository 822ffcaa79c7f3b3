"""Who is in a made-up hospital: patients, physicians, sites and machines, all with odd names.

A name, an id or a date of birth here is a canary: no chance brings it about, so that it can be
looked for in every byte that leaves the hospital.
"""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Modality = Literal["XA", "US"]


@dataclass(frozen=True)
class Person:
    """A name in its two parts."""

    family: str
    given: str

    @property
    def dicom(self) -> str:
        """The name as DICOM writes it."""
        return f"{self.family}^{self.given}"

    @property
    def screen(self) -> str:
        """The name as a machine shows it, in capitals without accents."""
        bare = unicodedata.normalize("NFKD", self.dicom).encode("ascii", "ignore").decode()
        return bare.upper()


@dataclass(frozen=True)
class Patient:
    """What a hospital knows of a patient."""

    plan_id: str
    """In the plan of studies."""
    id: str
    name: Person
    birth: date
    sex: Literal["F", "M"]


@dataclass(frozen=True)
class Machine:
    """A machine that makes cines."""

    modality: Modality
    manufacturer: str
    model: str
    layout: int
    """How it arranges what it burns into its pictures."""


@dataclass(frozen=True)
class Site:
    """A place with machines and a way of its own to name files."""

    name: str
    address: str
    naming: Literal["people", "numbers", "uids"]
    machines: tuple[Machine, ...]


SITES: Final = (
    Site(
        "Zquorn Heart Centre", "Vexley Lane 7, Zquornstead", "people",
        (
            Machine("XA", "Siemens", "AXIOM-Artis", 0),
            Machine("US", "Philips Medical Systems", "EPIQ 7C", 0),
            Machine("US", "GE Vingmed Ultrasound", "Vivid E95", 1),
        ),
    ),
    Site(
        "Hxolm County Infirmary", "Qwisp Road 41, Hxolm", "numbers",
        (
            Machine("XA", "Philips Medical Systems", "Allura Xper", 1),
            Machine("US", "SIEMENS", "ACUSON SC2000", 2),
        ),
    ),
    Site(
        "Jyvex Cardiology", "Postbox 9932, Jyvexborough", "uids",
        (
            Machine("XA", "GE MEDICAL SYSTEMS", "Innova IGS 5", 2),
            Machine("US", "TOSHIBA_MEC_US", "Aplio 500", 3),
        ),
    ),
)  # fmt: skip
"""The first machine of a site films with X-rays, the others with ultrasound."""


def uid(*key: str | int) -> str:
    """Return the unique identifier that belongs to a key."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big') + 10**30}"
