"""The measured tables of docs/why/doctor.md: each between two marks that a benchmark writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.defect_code import Context
from benchmarks.doctor_settings import LEARNING_STEPS, MULTITASK
from cinelex.doctor.finding import Finding

DOCUMENT = Path("docs/why/doctor.md")


@dataclass(frozen=True)
class Defect:
    """A defect, how it is put back, and the rule that must catch it."""

    name: str
    pitfall: str
    """Its row in the table of pitfalls, where it has one."""
    rule: str
    """Empty where there is no defect: a control."""
    stage: str
    """How far the run has to go: config, sweep, facts, a self-test (ranks, parts, half, resume),
    short, run, whole, results; history is the wiring of the first EQ system on the statistics of
    its own data."""
    overrides: tuple[str, ...] = ()
    code: Context | None = None
    """What replaces the code; None where the config or the data alone are wrong."""
    says: str = ""
    """What the finding's statement must hold, where a rule has several."""
    recipe: str = MULTITASK
    """The shipped recipe that is run with the defect."""


@dataclass(frozen=True)
class Caught:
    """What the doctor said of a defect."""

    defect: Defect
    finding: Finding | None
    """None where the rule was silent."""
    others: tuple[str, ...]
    """Other rules that spoke."""

    @property
    def right(self) -> bool:
        """Return whether the defect was named or, where there is none, nothing was."""
        return self.finding is not None if self.defect.rule else not self.others

    def line(self) -> str:
        """Return one line for the terminal."""
        if not self.defect.rule:
            return f"{self.defect.name}: {', '.join(self.others) or 'nothing found'}"
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


def write_defects(rows: Sequence[Caught]) -> None:
    """Write the table of defects, how many were caught, and the table of their controls."""
    head = ("pitfall", "defect", "rule", "measured", "threshold", "other rules", "shows after")
    stages = {"facts": "step 0", "config": "the config", "ranks": "step 0, two processes"}
    stages |= {"parts": "step 0", "half": "step 0", "resume": "two steps", "results": "evaluation"}
    stages |= {"sweep": "the config", "short": "40 to 60 steps", "run": f"{LEARNING_STEPS} steps"}
    stages |= {"whole": "the whole recipe", "history": "evaluation"}
    defects = [row for row in rows if row.defect.rule]
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
        for row in defects
    ]
    controls = [
        (row.defect.name.removeprefix("no defect, "), ", ".join(row.others) or "none")
        for row in rows
        if not row.defect.rule
    ]
    text = (
        table(head, cells),
        f"{sum(row.right for row in defects)} of {len(defects)} caught. The same without a defect:",
        table(("run", "errors and warnings"), controls),
    )
    write_between("defects", "\n\n".join(text))
