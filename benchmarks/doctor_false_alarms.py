"""What the doctor says of the shipped recipes over several seeds.

``python -m benchmarks.doctor_false_alarms [--folder runs/alarms] [--seeds 5] [--recipes NAME …]``;
writes into docs/why/doctor.md, where rows of other recipes stay. Every run is judged before, during
and after training, as the command line does. A finished run in the folder is read again, not made
again; ``--read_only`` makes none. Three hours of one CPU core for all.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.doctor_defects import train
from benchmarks.doctor_document import read_between, table, write_between
from benchmarks.doctor_settings import CONFIGS, RECIPES
from cinelex.core.console import say
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, worst_first
from cinelex.doctor.live.watch import JUDGED_EVERY
from cinelex.doctor.run_files import read_run


def main(arguments: list[str] | None = None) -> int:
    """Judge every recipe with every seed; return 1 if a rule fired."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/alarms"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES)
    parser.add_argument("--read_only", action="store_true", help="judge what is there")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows, alarms, today = _measured_before(), 0, f"{datetime.now(UTC):%Y-%m-%d}"
    for recipe in options.recipes:
        found = [
            findings
            for seed in range(options.seeds)
            if (findings := judge(recipe, seed, options.folder, make=not options.read_only))
            is not None
        ]
        if found:
            fired, notes = _rules(found, note=False), _rules(found, note=True)
            alarms += sum(fired.values())
            smaller = " ".join(f"`{option}`" for option in RECIPES[recipe]) or "as shipped"
            counts = (f"{len(found)}", _counted(fired), _counted(notes))
            rows[f"`{recipe}.yaml`"] = (smaller, *counts, today)
    head = ("recipe", "run", "seeds", "errors and warnings", "notes (rule × seeds)", "measured")
    known = [f"`{recipe}.yaml`" for recipe in RECIPES if f"`{recipe}.yaml`" in rows]
    write_between("false alarms", table(head, [(name, *rows[name]) for name in known]))
    return int(alarms > 0)


def _measured_before() -> dict[str, tuple[str, ...]]:
    """Return the rows that stand in the document, by recipe."""
    lines = read_between("false alarms").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: tuple(rest) for name, *rest in cells}


def judge(recipe: str, seed: int, folder: Path, *, make: bool) -> list[Finding] | None:
    """Return what is found in one run; None if it is not there and is not to be made."""
    name = f"{recipe.replace('/', '-')}-{seed}"
    if not (folder / name / "results.json").exists():
        if not make:
            return None
        own = (f"name={name}", f"seed={seed}", f"folder={folder}", "device=cpu", "threads=1")
        train(["--base_config", str(CONFIGS / f"{recipe}.yaml"), *RECIPES[recipe], *own])
    findings = all_findings(read_run(folder / name).evidence())
    say(f"{recipe} seed {seed}: {[(f.rule, f.severity, f.statement) for f in findings]}")
    return findings


def all_findings(evidence: Evidence) -> list[Finding]:
    """Return what is found in a finished run, and what was as it trained, each rule's worst once.

    The rules read a run on its way every 50 steps, without results.
    """
    looks = [
        diagnose(replace(evidence, steps=evidence.steps[:made], results=None, captions=()))
        for made in range(JUDGED_EVERY, len(evidence.steps), JUDGED_EVERY)
    ]
    looks.append(diagnose(evidence))
    worst = {f.rule: f for f in reversed(worst_first(f for look in looks for f in look))}
    return worst_first(worst.values())


def _rules(found: list[list[Finding]], *, note: bool) -> Counter[str]:
    """Return in how many runs each rule spoke."""
    return Counter(
        rule
        for findings in found
        for rule in {f.rule for f in findings if (f.severity == "note") is note}
    )


def _counted(rules: Counter[str]) -> str:
    return ", ".join(f"{rule} × {count}" for rule, count in sorted(rules.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
