"""Put every defect back, ask the shipped commands, and write what they found into the document.

``python -m benchmarks.doctor_defects [--only TEXT] [--rules D] [--folder runs/doctor]``; about an
hour on one CPU core, ten minutes of it for the rules N. What has a defect is run without it too,
and the rules must find nothing but notes there. Runs that are finished in the folder are read
again, not made again; name another one for new ones.
"""

import argparse
import io
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from benchmarks.defects import DEFECTS
from benchmarks.doctor_document import (
    STAGES,
    Caught,
    Command,
    Defect,
    Said,
    caught,
    findings_in,
    write_defects,
)
from benchmarks.doctor_rank_worker import VARIABLE
from benchmarks.doctor_settings import CONFIGS, FEW_STUDIES, defect_overrides
from benchmarks.second_defects import SECOND_CONTROLS
from benchmarks.training_defects import CONTROLS, HEALTHY
from cinelex.config.load import dump_config, load_config
from cinelex.core.console import say
from cinelex.core.files import read_json, write_json
from cinelex.doctor.__main__ import main as doctor
from cinelex.doctor.live import self_tests
from cinelex.doctor.run_files import read_steps
from cinelex.scripts.main import main as runner
from cinelex.scripts.sweep import main as sweep

LISTS = {"D": ("defects", CONTROLS), "N": ("second defects", SECOND_CONTROLS)}
"""Where the document shows what became of the defects of a list, and what has none."""


def ask(defect: Defect, folder: Path, *more: str) -> list[Said]:
    """Return what the shipped command finds in a run with this defect.

    Args:
        defect: The defect.
        folder: Where runs and data are kept.
        more: Overrides that go before the defect's own.
    """
    commands: dict[Command, Callable[[Defect, Path, Sequence[str]], list[Said]]] = {
        "sweep": _sweep,
        "doctor": _examined,
        "train": _trained,
        "check": _made_up,
    }
    command, run = commands[STAGES[defect.stage].command], arguments(defect, folder, *more)
    with defect.code() if defect.code else nullcontext():
        return command(defect, folder, run)


def arguments(defect: Defect, folder: Path, *more: str) -> list[str]:
    """Return the command line of a run with this defect."""
    few = FEW_STUDIES if STAGES[defect.stage].command in ("doctor", "sweep") else ()
    overrides = defect_overrides(
        re.sub(r"\W+", "-", defect.name.lower()).strip("-"),
        folder,
        (*few, *more, *defect.overrides),
        recipe=defect.recipe,
        scale=STAGES[defect.stage].scale,
    )
    return ["--base_config", str(CONFIGS / f"{defect.recipe}.yaml"), *overrides]


def call(main: Callable[[Sequence[str]], int], *command: str) -> str:
    """Run a command in this process and return all that it says."""
    with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
        main(command)
    return said.getvalue()


def _sweep(defect: Defect, folder: Path, run: Sequence[str]) -> list[Said]:
    file = folder / "sweeps" / f"{defect.stage}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(defect.sweep)
    shutil.rmtree(folder / "runs" / "sweeps", ignore_errors=True)
    told = ("--sweep_config", str(file), "--workers", "1", "--backend", "local", "--check_only")
    return findings_in(call(sweep, *run, *told))


def _examined(defect: Defect, _: Path, run: Sequence[str]) -> list[Said]:
    worker = mock.patch.object(self_tests, "WORKER", "benchmarks.doctor_rank_worker")
    with worker, mock.patch.dict(os.environ, {VARIABLE: defect.name}):
        return findings_in(call(runner, *run, "--run_mode", "doctor"))


def _trained(_: Defect, __: Path, run: Sequence[str]) -> list[Said]:
    return findings_in(call(doctor, "check", str(train(run))))


def _made_up(defect: Defect, folder: Path, _: Sequence[str]) -> list[Said]:
    """Change the results of a healthy run, and compare them with it."""
    assert defect.results is not None
    healthy = train(arguments(HEALTHY, folder))
    other = Path(shutil.copytree(healthy, folder / "made-up", dirs_exist_ok=True))
    write_json(other / "results.json", defect.results(read_json(healthy / "results.json")))
    return findings_in(call(doctor, "check", str(other), "--reference", str(healthy)))


def train(run: Sequence[str]) -> Path:
    """Train a run and return its folder; one of this very config that is finished is left alone.

    Raises:
        RuntimeError: It did not end.
    """
    config = load_config(run[1], [item for item in run[2:] if "=" in item])
    folder = config.folder / config.name
    if not finished(folder, dump_config(config), steps=config.steps):
        shutil.rmtree(folder, ignore_errors=True)
        said = call(runner, *run)
        if not (folder / "results.json").exists():
            raise RuntimeError(said)
    return folder


def finished(folder: Path, config: str, *, steps: int) -> bool:
    """Return whether a folder holds an evaluated run of this config."""
    known = folder / "config.yaml"
    if not known.exists() or known.read_text() != config:
        return False
    made = read_steps(folder)
    return bool(made) and made[-1]["step"] == steps and (folder / "results.json").exists()


def main(arguments: list[str] | None = None) -> int:
    """Try all defects, or those whose name holds a text; return 1 if one was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of the defects to try")
    parser.add_argument("--rules", default="DN", choices=("D", "N", "DN"), help="of which list")
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor"))
    options = parser.parse_args(arguments)
    right = True
    for letter in options.rules:
        mark, controls = LISTS[letter]
        own = [defect for defect in DEFECTS if defect.rule.startswith(letter)]
        rows: list[Caught] = []
        for defect in (one for one in (*own, *controls) if options.only in one.name):
            rows.append(caught(defect, ask(defect, options.folder)))
            say(rows[-1].line())
        if not options.only:
            write_defects(rows, mark)
        right &= all(row.right for row in rows)
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
