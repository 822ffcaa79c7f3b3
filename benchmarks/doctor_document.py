"""The measured tables of docs/why/doctor.md: each between two marks that a benchmark writes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.defect_code import Context
from benchmarks.doctor_settings import LEARNING_STEPS, MULTITASK, Scale

DOCUMENT = Path("docs/why/doctor.md")


Command = Literal["sweep", "doctor", "train", "check"]
"""``run_sweep.sh``; ``runner.sh`` with ``--run_mode doctor`` or train, each run then read by
``doctor.sh check``; ``doctor.sh check`` alone, on results that were made up."""
COMMANDS: dict[Command, str] = {
    "sweep": "`run_sweep.sh`",
    "doctor": "`--run_mode doctor`",
    "train": "training, `doctor.sh check`",
    "check": "`doctor.sh check`",
}


@dataclass(frozen=True)
class Stage:
    """How far a run has to go for a defect to show, and which shipped command shows it."""

    command: Command
    shows: str
    """As the table says it."""
    scale: Scale = "tiny"


STAGES: dict[str, Stage] = {
    "sweep": Stage("sweep", "the sweep file"),
    "probe": Stage("sweep", "one step of a sweep"),
    "config": Stage("doctor", "the config"),
    "fresh": Stage("doctor", "step 0"),
    "ranks": Stage("doctor", "step 0, two processes"),
    "micro_batches": Stage("doctor", "step 0"),
    "bf16": Stage("doctor", "step 0"),
    "resume": Stage("doctor", "two steps"),
    "short": Stage("train", "40 to 60 steps"),
    "learning": Stage("train", f"{LEARNING_STEPS} steps", "learning"),
    "whole": Stage("train", "the whole recipe", "whole"),
    "small": Stage("train", f"{LEARNING_STEPS} steps of a tiny model", "small"),
    "written": Stage("train", "evaluation"),
    "results": Stage("check", "evaluation", "small"),
}


@dataclass(frozen=True)
class Defect:
    """A defect, how it is put back, and the rule that must catch it."""

    name: str
    pitfall: str
    """Its row in the table of pitfalls, where it has one."""
    rule: str
    """Empty where there is no defect: a control."""
    stage: str
    """How far the run has to go, of `STAGES`."""
    overrides: tuple[str, ...] = ()
    code: Context | None = None
    """What replaces the code; None where the config or the data alone are wrong."""
    ranks: Context | None = None
    """What replaces the code in the two processes of the self-test, if it is not the same."""
    says: str = ""
    """What the finding's statement must hold, where a rule has several."""
    recipe: str = MULTITASK
    """The shipped recipe that is run with the defect."""
    sweep: str = ""
    """A sweep file that is wrong."""
    results: Callable[[Any], Any] | None = None
    """What a healthy run's results are made into."""


@dataclass(frozen=True)
class Said:
    """A finding, as a command printed it."""

    rule: str
    severity: str
    statement: str
    measured: float
    threshold: float


_FINDING = re.compile(
    r"\b([DN]\d+) (error|warning|note): (.*?) \(measured (\S+), threshold (\S+): ", re.MULTILINE
)


def findings_in(output: str) -> list[Said]:
    """Return the findings that a command printed."""
    return [
        Said(rule, severity, statement, float(measured), float(threshold))
        for rule, severity, statement, measured, threshold in _FINDING.findall(output)
    ]


@dataclass(frozen=True)
class Caught:
    """What the doctor said of a defect."""

    defect: Defect
    finding: Said | None
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


def caught(defect: Defect, said: Sequence[Said]) -> Caught:
    """Return what the defect's own rule says of it, and which others spoke too."""
    own = [one for one in said if one.rule == defect.rule and defect.says in one.statement]
    others = {one.rule for one in said if one.rule != defect.rule and one.severity != "note"}
    return Caught(defect, own[0] if own else None, tuple(sorted(others)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def read_between(mark: str, *, document: Path = DOCUMENT) -> str:
    """Return what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` in a document.

    Raises:
        ValueError: The document has no such marks.
    """
    return _around(mark, document)[1]


def write_between(mark: str, text: str, *, document: Path = DOCUMENT) -> None:
    """Replace what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` in a document.

    Raises:
        ValueError: The document has no such marks.
    """
    before, _, after = _around(mark, document)
    document.write_text(f"{before}{text}\n{after}")


def _around(mark: str, document: Path) -> tuple[str, str, str]:
    """Return a document up to the end of a mark, what the mark holds, and the rest."""
    start, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    before, opened, rest = document.read_text().partition(start)
    held, closed, after = rest.partition(end)
    if not opened or not closed:
        raise ValueError(f"{document}: no place called {mark}")
    return before + start, held, end + after


def write_defects(rows: Sequence[Caught], mark: str) -> None:
    """Write the table of defects, how many were caught, and the table of their controls."""
    head = (
        "pitfall",
        "defect",
        "rule",
        "measured",
        "threshold",
        "other rules",
        "shows after",
        "found by",
    )
    defects = [row for row in rows if row.defect.rule]
    cells = [
        (
            row.defect.pitfall or "–",
            row.defect.name,
            row.defect.rule,
            f"{row.finding.measured:.3g}" if row.finding else "**not caught**",
            f"{row.finding.threshold:.3g}" if row.finding else "–",
            ", ".join(row.others) or "–",
            STAGES[row.defect.stage].shows,
            COMMANDS[STAGES[row.defect.stage].command],
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
    write_between(mark, "\n\n".join(text))
