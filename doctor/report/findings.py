"""The findings of the report page: worst first, each with a small plot and its null line."""

import math
from dataclasses import dataclass
from typing import Any

from cinelex.doctor.balance import Balance, Middle, balance
from cinelex.doctor.charts import Chart, Series, line_chart
from cinelex.doctor.check import diagnose_run
from cinelex.doctor.evidence import course
from cinelex.doctor.finding import Finding
from cinelex.doctor.report.charts import NULL_NOTES, label_of
from cinelex.doctor.report.tables import Bar
from cinelex.doctor.rules import RULES
from cinelex.doctor.run_files import RunFiles
from cinelex.projects.interface.results import Group, Null, Score


@dataclass(frozen=True)
class ShownFinding:
    """A finding and what shows it: its course over the run, or one number on a line."""

    finding: Finding
    chart: Chart | None
    bar: Bar | None
    """Where the measured value and the threshold stand."""
    wash: str
    """The colour of its badge: bad, warn, or none for a note."""


def shown_findings(run: RunFiles) -> list[ShownFinding]:
    """Return what every rule finds in a run's folder, worst first."""
    washes = {"error": "bad", "warning": "warn", "note": ""}
    shown = []
    for finding in diagnose_run(run):
        chart = _chart(run, finding)
        bar = None if chart else bar_of(finding.measured, finding.threshold)
        shown.append(ShownFinding(finding, chart, bar, washes[finding.severity]))
    return shown


def reading(run: RunFiles) -> str:
    """Return what the rules had to read, so that silence is not taken for health."""
    counts = {
        "recorded steps": len(run.steps),
        "diagnostics from before the first step": len(run.diagnostics),
        "captions": len(run.captions),
    }
    had = [f"{count} {what}" for what, count in counts.items() if count]
    had += ["the final evaluation"] if run.results is not None else []
    asked = sum(rule.check is not None for rule in RULES)
    return ", ".join([f"{asked} rules read the config", *had]) + "."


def balance_groups(run: RunFiles) -> list[Group]:
    """Return each term's share of the gradient, and how its gradients stand to the others'."""
    found = balance(run.evidence())
    return [] if found is None else [_shares(run, found), _cosines(run, found)]


def bar_of(measured: float, threshold: float) -> Bar | None:
    """Return both numbers on one line that begins at 0, or at the lower one where it is negative.

    None where a number is not finite, or both are 0.
    """
    low, high = min(0.0, measured, threshold), max(0.0, measured, threshold)
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return None
    margin = 0.08 * (high - low)
    start, length = low - margin * (low < 0), high - low + margin * (1 + (low < 0))
    value = 100 * (measured - start) / length
    return Bar(value, value, value, null=100 * (threshold - start) / length)


def _chart(run: RunFiles, finding: Finding) -> Chart | None:
    if not finding.course:
        return None
    measured, *nulls = finding.course
    points = course(run.steps, measured)
    lines = [Series(_null_name(null), course(run.steps, null)) for null in nulls]
    if points and finding.line is not None:
        lines.append(Series("null", [(step, finding.line) for step, _ in (points[0], points[-1])]))
    return line_chart(
        _title(run, measured),
        note="Dashed: what it is held against.",
        lines=[Series("measured", points)],
        nulls=lines,
    )


def _title(run: RunFiles, key: str) -> str:
    """Return what a key of the record is called on a page."""
    kind, _, name = key.rpartition("/")
    titles = {"loss": "{}", "gradient/norm": "{}: gradient norm"}
    return titles.get(kind, key).format(label_of(run, name))


def _null_name(key: str) -> str:
    """Return what a key of the record is to the one that was measured."""
    parts = key.split("/")
    return parts[0] if parts[0] in NULL_NOTES else parts[-1]


def _shares(run: RunFiles, found: Balance) -> Group:
    equal = {"equal shares": Null(value=1 / len(found.shares))}
    scores = [
        Score(name=term, label=label_of(run, term), unit=unit, nulls=nulls, **_around(middle))
        for of_terms, unit, nulls in ((found.shares, "share", equal), (found.norms, "norm", {}))
        for term, middle in of_terms.items()
    ]
    note = (
        "weight times gradient norm at the last shared block; below, the norms alone. Median over"
    )
    note += f" {found.probes} probes and its 95 % interval"
    return Group(title="Gradient share", note=note, scores=scores)


def _around(middle: Middle) -> dict[str, Any]:
    return vars(middle) if math.isfinite(middle.low) else {"value": middle.value}


def _cosines(run: RunFiles, found: Balance) -> Group:
    scores = []
    for pair, cosine in found.cosines.items():
        label = " and ".join(label_of(run, term) for term in pair.split("~"))
        null, half = {"unrelated": Null(value=0.0)}, {"unrelated": Null(value=0.5)}
        part = found.conflicts[pair]
        scores += [
            Score(name=pair, label=label, nulls=null, **_around(cosine)),
            Score(name=pair, label=f"{label}: opposed", nulls=half, unit="share", value=part),
        ]
    note = "mean over probes ± two standard errors; opposed: share of probes where it is below 0"
    return Group(title="Gradient cosines", note=note, scores=scores)
