"""Configs with every key set to values of every kind: each is run, or refused in one line.

    python -m benchmarks.fuzz_configs --count 2000 --out fuzz.json

A config goes the way of a run up to its first update, on a tiny set that is made once, in a child
that is killed where it hangs. What comes out is counted: refused by the reader, refused later, or
run; anything else is a defect, and is listed.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from inspect import signature
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import torch

from cinelex.config.load import load_config
from cinelex.config.nearest import valid_keys
from cinelex.config.schema import RunConfig
from cinelex.core.entry import guarded
from cinelex.core.errors import UserError
from cinelex.core.processes import child_environment
from cinelex.projects import open_project, rehearse, weight_keys
from cinelex.projects.names import TABLES
from cinelex.runners.run_folder import open_for_training
from cinelex.runners.train import Trainer
from tests.tiny_run import CLIPSE, EQ_CONFIG, LATENT, MULTITASK, arguments

CONFIGS = (MULTITASK, MULTITASK, LATENT, CLIPSE, EQ_CONFIG)
VALUES = (
    *("null", "true", "0", "1", "2", "3", "-1", "1.5", "1e-4", "1e30", "-0.0", "9007199254740993"),
    *(
        "''",
        "word",
        "'a b'",
        "../up",
        "absent/file",
        "'\u0000'",
        "é狭",
        "[]",
        "[1, 2]",
        "{}",
        "'null'",
    ),
    *("{name: timm}", "{name: vit, options: {depth: 0}}", "{start: 1, end: 0}", "[a, b, c]", "64"),
    *("{name: mean}", "{name: transformer, options: {heads: 3}}", "100000", "[0.5, 0.5]", "0.5"),
)
SLOW = ("train", "val", "test", "rows", "people", "stock_scenes", "interpolation_steps", "steps")
"""Last names of keys of which a large value is no mistake, only long to wait for."""
LIMIT_S = 120.0
MEMORY = 12 << 30


def draw_config(number: int) -> tuple[Path, list[str]]:
    """Return a shipped config and one or two keys that are set to something."""
    chance = random.Random(number)  # noqa: S311
    config = CONFIGS[number % len(CONFIGS)]
    keys = [*valid_keys(RunConfig), *weight_keys(), *_options()]
    chosen = [keys[(number * 7919) % len(keys)]]
    if chance.random() < 0.3:
        chosen.append(chance.choice(keys))
    changes = {}
    for key in chosen:
        value = chance.choice(VALUES)
        if key.rpartition(".")[2] in SLOW and len(value) > 2 and value[:1].isdigit():
            value = "1"
        changes[key] = value
    return config, [f"{key}={value}" for key, value in changes.items()]


def _options() -> list[str]:
    """Return the keys of all options of all parts."""
    return sorted(
        f"{key}.options.{name}"
        for key, table in TABLES.items()
        for entry in table.values()
        for name in signature(entry).parameters
    )


def try_config(config: Path, changes: Sequence[str], folder: Path) -> str:
    """Go the way of a run up to its first update; return how that ended."""
    stage = "read"
    try:
        command = arguments(folder / "runs", folder / "cache", "name=fuzz", config=config)
        loaded = load_config(config, [*_without(command[2:], changes), *changes])
        stage = "tried"
        opened = open_for_training(loaded)
        rehearse(loaded)
        project = open_project(loaded, opened.path)
        stage = "trained"
        trainer = Trainer(
            project, loaded, folder=opened.path, device=torch.device("cpu"), provenance={}
        )
        trainer.update(next(iter(project.batches(0))))
        trainer.books.record.close()
    except UserError as problem:
        text = str(problem)
        return f"refused when {stage}" if "\n" not in text else f"DEFECT several lines: {text}"
    return "run"


def _without(overrides: Sequence[str], changes: Sequence[str]) -> Iterator[str]:
    """Leave out what is set anew, or stands above or below that."""
    anew = [change.partition("=")[0] for change in changes]
    for item in overrides:
        key = item.partition("=")[0]
        if not any(f"{key}.".startswith(f"{k}.") or f"{k}.".startswith(f"{key}.") for k in anew):
            yield item


def serve(folder: Path) -> None:
    """Try the config of each number that stands on standard input, and say how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        config, changes = draw_config(int(line))
        rmtree(folder / "runs", ignore_errors=True)
        try:
            ended = try_config(config, changes, folder)
        except BaseException as problem:  # noqa: BLE001  whatever comes here is what is looked for
            last = traceback.extract_tb(problem.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            ended = f"DEFECT {type(problem).__name__} at {place}: {str(problem)[:200]}"
        answers.write(json.dumps([config.name, changes, ended]) + "\n")
        answers.flush()


def run(numbers: Sequence[int]) -> list[list[Any]]:
    """Try configs in a child that is started anew where it dies or hangs."""
    left, found = list(numbers), list[list[Any]]()
    with TemporaryDirectory() as outer:
        # whatever a path without a root names lies in here
        folder = Path(outer) / "deep" / "below"
        folder.mkdir(parents=True)
        while left:
            with subprocess.Popen(
                [sys.executable, "-m", "benchmarks.fuzz_configs", "--serve", str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                cwd=folder,
                env=child_environment(),
            ) as child:
                left = _ask(child, left, found)
    return found


def _ask(child: "subprocess.Popen[str]", left: list[int], found: list[list[Any]]) -> list[int]:
    """Ask one child until it ends; return the numbers that nobody has answered."""
    from select import select

    assert child.stdin is not None
    assert child.stdout is not None
    while left:
        number = left.pop(0)
        child.stdin.write(f"{number}\n")
        child.stdin.flush()
        heard = bool(select([child.stdout], [], [], LIMIT_S)[0])
        line = child.stdout.readline() if heard else ""
        if line:
            found.append(json.loads(line))
            if found[-1][2].startswith("DEFECT"):
                sys.stdout.write(f"{found[-1]}\n")
                sys.stdout.flush()
            continue
        config, changes = draw_config(number)
        found.append([config.name, changes, "DEFECT died" if heard else "DEFECT hung"])
        child.kill()
        break
    child.stdin.close()
    return left


def main(arguments: Sequence[str] | None = None) -> int:
    """Count how many configs end how; return 1 where one ends in anything but a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", type=Path)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.serve)
        return 0
    found = run(range(options.first, options.first + options.count))
    kinds = Counter("DEFECT" if end.startswith("DEFECT") else end for _, _, end in found)
    defects = [row for row in found if row[2].startswith("DEFECT")]
    if options.out:
        options.out.write_text(json.dumps({"counts": kinds, "defects": defects}, indent=1))
    sys.stdout.write(f"{dict(kinds)}\n")
    return int(bool(defects))


if __name__ == "__main__":
    sys.exit(guarded(main))
