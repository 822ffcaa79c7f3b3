"""One planned study: who, what, which views, which report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cinelex.data.synthetic.cines.cine import CinePlan
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.views import View


@dataclass(frozen=True)
class StudyPlan:
    """One study before it is rendered."""

    id: str
    patient_id: str
    split: str
    findings: Findings
    """What the pixels show."""
    report: str
    """Tells of `findings`, unless label noise struck."""
    cines: tuple[CinePlan, ...]
    corrupted: tuple[bool, ...]
    """For each cine, whether its file is unreadable."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        record = asdict(self)
        record["findings"] = self.findings.to_json()
        for cine in record["cines"]:
            del cine["findings"]
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "StudyPlan":
        """Rebuild what `to_json` gave."""
        findings = Findings.from_json(record["findings"])
        cines = tuple(
            CinePlan(findings, View(**cine["view"]), **{k: cine[k] for k in cine if k != "view"})
            for cine in record["cines"]
        )
        known = {**record, "findings": findings, "cines": cines}
        return cls(**{**known, "corrupted": tuple(record["corrupted"])})
