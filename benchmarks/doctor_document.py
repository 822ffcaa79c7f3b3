"""The measured tables of docs/doctor.md: each between two marks that a benchmark writes between."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.defect_code import Context
from benchmarks.doctor_settings import MULTITASK
from doctor.finding import Finding

DOCUMENT = Path("docs/doctor.md")


@dataclass(frozen=True)
class Defect:
    """A defect, how it is put back, and the rule that must catch it."""

    name: str
    pitfall: str
    """Its row in the table of pitfalls, where it has one."""
    rule: str
    stage: str
    """How far the run has to go: config, sweep, facts, ranks, parts, resume, short, run, results;
    history is the wiring of the first EQ system on the statistics of its own data."""
    overrides: tuple[str, ...] = ()
    code: Context | None = None
    """What replaces the code; None where the config or the data alone are wrong."""
    says: str = ""
    """What the finding's statement must hold, where a rule has several."""
    recipe: str = MULTITASK
    """The shipped recipe whose small run has the defect."""


@dataclass(frozen=True)
class Caught:
    """What the doctor said of a defect."""

    defect: Defect
    finding: Finding | None
    """None where the rule was silent."""
    others: tuple[str, ...]
    """Other rules that spoke."""

    def line(self) -> str:
        """Return one line for the terminal."""
        if self.finding is None:
            return f"NOT CAUGHT: {self.defect.name} ({self.defect.rule}; others {self.others})"
        return (
            f"{self.defect.rule} caught {self.defect.name}: {self.finding.measured:.3g}, "
            f"threshold {self.finding.threshold:.3g}; others {self.others}"
        )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_between(mark: str, text: str) -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` in the document.

    Raises:
        ValueError: The document has no such marks.
    """
    page = DOCUMENT.read_text()
    before, start, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- /{mark} -->")
    if not start or not end:
        raise ValueError(f"{DOCUMENT}: no place called {mark}")
    DOCUMENT.write_text(f"{before}{start}{text}\n{end}{after}")


def write_defects(rows: Sequence[Caught], controls: Sequence[Caught]) -> None:
    """Write the table of defects, in the order in which they were tried, and how many were caught.

    Args:
        rows: Runs with a defect.
        controls: Runs without one.
    """
    head = ("pitfall", "defect", "rule", "measured", "threshold", "other rules", "shows after")
    stages = {"facts": "step 0", "config": "the config", "ranks": "step 0, two processes"}
    stages |= {"parts": "step 0", "resume": "two steps", "results": "evaluation"}
    stages |= {"sweep": "the config", "short": "40 to 60 steps", "run": "210 steps"}
    stages |= {"history": "evaluation"}
    cells = [
        (
            row.defect.pitfall or "–",
            row.defect.name,
            row.defect.rule,
            f"{row.finding.measured:.3g}" if row.finding else "**not caught**",
            f"{row.finding.threshold:.3g}" if row.finding else "–",
            ", ".join(row.others) or "–",
            stages[row.defect.stage],
        )
        for row in rows
    ]
    caught = sum(row.finding is not None for row in rows)
    alarms = sorted({rule for control in controls for rule in control.others})
    counted = (
        f"{caught} of {len(rows)} caught. The same stages without a defect: "
        f"{', '.join(alarms) or 'no error and no warning'}."
    )
    write_between("defects", f"{table(head, cells)}\n\n{counted}")
