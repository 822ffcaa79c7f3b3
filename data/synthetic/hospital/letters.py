"""Reports as a hospital keeps them: headings, names, dates, RTF, HTML, line breaks."""

import html
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cinelex.data.synthetic.hospital.settings import HospitalSettings
from cinelex.data.synthetic.hospital.visits import Visit

Markup = Literal["plain", "html", "rtf"]
MARKUPS: Final[tuple[Markup, ...]] = ("plain", "html", "rtf")
MARKUP_ODDS: Final = (0.7, 0.15, 0.15)
FINDINGS: Final = ("FINDINGS:", "Findings:", "CORONARY FINDINGS:")
CONCLUSIONS: Final = ("CONCLUSION:", "IMPRESSION:", "Conclusion:")
PARTED_RATE: Final = 0.3
"""Share of the reports whose last sentence stands below a heading of its own."""
DATES: Final = ("%d.%m.%Y", "%Y-%m-%d", "%d %B %Y")


@dataclass(frozen=True)
class Letter:
    """A report as it stands in a cell."""

    text: str
    markup: Markup
    named: bool
    """True where the findings end with a sentence with a name and a date."""


def write_letter(visit: Visit, settings: HospitalSettings) -> Letter:
    """Return the report of a study, whose findings and conclusion are what the plan says."""
    draw = np.random.default_rng((settings.studies.seed, 13, visit.number))
    patient, reader = visit.patient, visit.reader
    day = visit.when.strftime(DATES[int(draw.integers(len(DATES)))])
    born = patient.birth.strftime(DATES[int(draw.integers(len(DATES)))])
    title = "Mrs." if patient.sex == "F" else "Mr."
    named = bool(draw.random() < settings.named_findings_rate)
    findings, conclusion = _part(visit.plan.report, parted=draw.random() < PARTED_RATE)
    if named:
        findings, conclusion = visit.plan.report, ""
        who = (
            f"Discussed with Dr. {visit.referrer.family}",
            f"{title} {patient.name.family} was told",
            f"{patient.name.given} {patient.name.family}, {patient.id}, was told",
        )
        findings += f" {who[int(draw.integers(len(who)))]} on {day}."
    lines = [
        f"EXAMINATION: Cine imaging of the heart, {day}, accession {visit.accession}",
        f"PATIENT: {title} {patient.name.given} {patient.name.family}, born {born}, {patient.id}",
        f"HISTORY: {title} {patient.name.family} was sent by Dr. {visit.referrer.family}, "
        f"{visit.site.name}. {visit.phrase}.",
        FINDINGS[int(draw.integers(len(FINDINGS)))],
        findings,
    ]
    if conclusion:
        lines += [CONCLUSIONS[int(draw.integers(len(CONCLUSIONS)))], conclusion]
    when = f"{day} {visit.when:%H:%M}"
    lines.append(f"SIGNED: Dr. {reader.given} {reader.family}, {when}, phone +999 5550 7711")
    markup = MARKUPS[int(draw.choice(len(MARKUPS), p=MARKUP_ODDS))]
    return Letter(_mark_up(lines, markup), markup, named)


def _part(report: str, *, parted: bool) -> tuple[str, str]:
    """Return a report and nothing, or its last sentence apart; a space joins them again."""
    place = report.rstrip(". ").rfind(". ") + 1
    return (report[:place], report[place + 1 :]) if parted and place else (report, "")


def _mark_up(lines: list[str], markup: Markup) -> str:
    """Return lines as a cell holds them."""
    if markup == "plain":
        return "\n".join(lines)
    if markup == "html":
        body = "".join(f"<p>{html.escape(line)}</p>\n" for line in lines)
        return f"<html><body><!-- made by ZQEDIT -->{body}</body></html>"
    return r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}\f0\fs20 " + "".join(
        f"{_rtf(line)}\\par\n" for line in lines
    ) + "}"  # fmt: skip


def _rtf(line: str) -> str:
    """Return a line with what RTF cannot hold as escapes."""
    return "".join(
        letter if ord(letter) < 128 else f"\\'{letter.encode('cp1252').hex()}" for letter in line
    )
