"""Train the shipped recipes, shortened, over five seeds, and count what the doctor says of them.

``python -m benchmarks.doctor_false_alarms [--folder runs/doctor] [--seeds 5]``; writes a table into
docs/doctor.md. Every run is judged before, during and after training, as the command line does.
Finished runs in the folder are read again, not made again.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import torch

from benchmarks.doctor_defects import train
from benchmarks.doctor_document import table, write_between
from benchmarks.doctor_settings import RECIPES, small_config
from core.console import say
from doctor.check import diagnose


def main(arguments: list[str] | None = None) -> int:
    """Run every recipe with every seed; return 1 if a rule fired."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor"))
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows, alarms = [], 0
    for recipe in RECIPES:
        fired: Counter[str] = Counter()
        notes: Counter[str] = Counter()
        for seed in range(options.seeds):
            name = f"{recipe.replace('/', '-')}-{seed}"
            config = small_config(name, options.folder, (f"seed={seed}",), recipe=recipe)
            findings = diagnose(train(config).evidence())
            fired.update({f.rule for f in findings if f.severity != "note"})
            notes.update({f.rule for f in findings if f.severity == "note"})
            say(f"{recipe} seed {seed}: {[(f.rule, f.severity, f.statement) for f in findings]}")
        alarms += sum(fired.values())
        rows.append((f"`{recipe}.yaml`", f"{options.seeds}", _counted(fired), _counted(notes)))
    head = ("recipe", "seeds", "errors and warnings", "notes (rule × seeds)")
    write_between("false alarms", table(head, rows))
    return int(alarms > 0)


def _counted(rules: Counter[str]) -> str:
    return ", ".join(f"{rule} × {count}" for rule, count in sorted(rules.items())) or "none"


if __name__ == "__main__":
    sys.exit(main())
