"""The findings of the report page: worst first, each with a small plot and its null line."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cinelex.core.files import read_json
from cinelex.doctor.balance import Balance, balance
from cinelex.doctor.check import diagnose
from cinelex.doctor.finding import Finding, worst_first
from cinelex.doctor.report.charts import points_of
from cinelex.doctor.report.names import NULL_NOTES, TERMS
from cinelex.doctor.report.plots import Chart, Series, line_chart, short
from cinelex.doctor.report.tables import NullsRow
from cinelex.doctor.rules import RULES
from cinelex.doctor.rules.resume import RULE as RESUME
from cinelex.doctor.run_files import DOCTOR, RunFiles


@dataclass(frozen=True)
class Gauge:
    """One number beside what it would have to be, on a line from its least to its greatest."""

    measured: float
    """Place of the measured value, in percent of the line."""
    threshold: float
    """Place of the threshold."""
    texts: tuple[str, str]
    """Both numbers, as text."""


@dataclass(frozen=True)
class ShownFinding:
    """A finding and what shows it: its course over the run, or one number on a line."""

    finding: Finding
    chart: Chart | None
    gauge: Gauge | None
    wash: str
    """The colour of its badge: bad, warn, or none for a note."""


def shown_findings(run: RunFiles) -> list[ShownFinding]:
    """Return what every rule finds in a run's folder, worst first."""
    washes = {"error": "bad", "warning": "warn", "note": ""}
    shown = []
    found = diagnose(run.evidence())
    said = {finding.statement for finding in found}
    found += [finding for finding in _of_steps_made_again(run) if finding.statement not in said]
    for finding in worst_first(found):
        chart = _chart(run, finding)
        gauge = None if chart else gauge_of(finding.measured, finding.threshold)
        shown.append(ShownFinding(finding, chart, gauge, washes[finding.severity]))
    return shown


def _of_steps_made_again(run: RunFiles) -> list[Finding]:
    """Return what the run itself found as it was resumed; its record has only the later steps."""
    path = run.folder / DOCTOR
    kept = read_json(path).get("findings", []) if path.exists() else []
    rows = [row for row in kept if row["rule"] == RESUME]
    return [Finding(**{**row, "course": tuple(row["course"])}) for row in rows]


def reading(run: RunFiles) -> str:
    """Return what the rules had to read, so that silence is not taken for health."""
    parts = [
        f"{len(run.steps)} recorded steps" if run.steps else "",
        f"{len(run.diagnostics)} facts from before the first step" if run.diagnostics else "",
        "the final evaluation" if run.results else "",
        f"{len(run.captions)} captions" if run.captions else "",
    ]
    had = [part for part in parts if part]
    return f"{len(RULES)} rules read the config" + "".join(f", {part}" for part in had) + "."


def balance_rows(run: RunFiles) -> list[NullsRow]:
    """Return each term's share of the pull, and how its gradients stand to the others'."""
    found = balance(run.evidence())
    return [] if found is None else [*_shares(found), *_cosines(found)]


def gauge_of(measured: float, threshold: float) -> Gauge | None:
    """Return both numbers on one line that begins at 0, or at the lower one where it is negative.

    None where a number is not finite, or both are 0.
    """
    low, high = min(0.0, measured, threshold), max(0.0, measured, threshold)
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return None
    margin = 0.08 * (high - low)
    start, length = low - margin * (low < 0), high - low + margin * (1 + (low < 0))
    return Gauge(
        measured=100 * (measured - start) / length,
        threshold=100 * (threshold - start) / length,
        texts=(short(measured), short(threshold)),
    )


def _chart(run: RunFiles, finding: Finding) -> Chart | None:
    if not finding.course:
        return None
    measured, *nulls = finding.course
    points = points_of(run.steps, measured)
    lines = [Series(_null_name(null), points_of(run.steps, null)) for null in nulls]
    if points and finding.line is not None:
        ends = (points[0][0], points[-1][0])
        lines.append(Series("null", [(step, finding.line) for step in ends]))
    return line_chart(
        _title(measured),
        note="Dashed: what it is held against.",
        lines=[Series("measured", points)],
        nulls=lines,
    )


def _title(key: str) -> str:
    """Return what a key of the record is called on a page."""
    kind, _, name = key.rpartition("/")
    return {"loss": "{}", "gradient/norm": "{}: gradient norm"}.get(kind, key).format(
        TERMS.get(name, name)
    )


def _null_name(key: str) -> str:
    """Return what a key of the record is to the one that was measured."""
    first, *_, last = key.split("/")
    return first if first in NULL_NOTES else last


def _shares(found: Balance) -> list[NullsRow]:
    equal = f"{100 / len(found.shares):.0f} %"
    return [
        NullsRow(
            label=f"{TERMS.get(term, term)}, share of the gradient",
            value=f"{100 * share.median:.1f} %",
            interval=f"{100 * share.low:.1f} – {100 * share.high:.1f} %",
            nulls=(("alike", equal), ("norm", short(found.norms[term].median))),
            clear=None,
        )
        for term, share in found.shares.items()
    ]


def _cosines(found: Balance) -> list[NullsRow]:
    names: Mapping[str, str] = TERMS
    rows = []
    for pair, cosine in found.cosines.items():
        label = " and ".join(names.get(term, term) for term in pair.split("~"))
        conflicts = f"{100 * found.conflicts[pair]:.0f} % of {found.probes}"
        rows.append(
            NullsRow(
                label=f"{label}, cosine",
                value=f"{cosine.mean:.2f} ± {2 * cosine.error:.2f}",
                nulls=(("unrelated", "0"), ("below 0", conflicts)),
                clear=None,
            )
        )
    return rows
