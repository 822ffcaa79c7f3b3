"""Folders of models and runs with one file damaged or changed: used, or refused in one line.

    python -m benchmarks.fuzz_folders --count 600 [--first 600] [--out fuzz.json]

Every kind of pretrained folder that a config can name is trained with; a run's folder and an
export are asked for all that commands ask of them. Each is tried in a child that is killed where
it hangs. The studies, and so the tokenizers and the predictions in a run, hold a planted word.
"""

import argparse
import io
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks import served
from benchmarks.folder_kinds import EXPORT, FOREIGN, RUN, planted_keys, write_sound
from benchmarks.folder_mutants import copied_anew, damage
from cinelex.core.entry import guarded
from cinelex.doctor import __main__ as doctor
from cinelex.library import indexing
from cinelex.scripts import evaluate, export, main, use
from cinelex.scripts.finished_runs import command as runs
from tests.tiny_run import arguments

MAINS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "main": main.main,
    "export": export.main,
    "use": use.main,
    "evaluate": evaluate.main,
    "doctor": doctor.main,
    "runs": runs.main,
    "index": indexing.main,
}
KINDS = (*FOREIGN, "fuzz", "export", "fuzz", "fuzz", "export")
"""What lies in the folder of sound ones; a run has the most files and the most readers."""
SPEAKS = ("caption", "search")
"""What is asked for is a report: standard output may hold it."""


def command_of(number: int, outer: Path) -> tuple[str, list[str]]:
    """Return the kind of folder of a number, and what is to be called with it."""
    kind = KINDS[number % len(KINDS)]
    folder = outer / "work" / "fuzz"
    if kind in FOREIGN:
        keys = [key.replace("FOLDER", str(folder)) for key in FOREIGN[kind][1]]
        named = [key.partition("=")[0] for key in keys]
        data = planted_keys(outer / "set", outer / "cache")
        given = arguments(outer / "work" / "runs", outer / "cache", *data)
        kept = [key for key in given[2:] if not key.startswith(tuple(f"{n}." for n in named))]
        # what a folder holds is read, and shown a clip and a report, before training
        mode = [] if number % 3 == 0 else ["--run_mode", "ingest"]
        return kind, ["main", *given[:2], *mode, *kept, *keys]
    asked = random.Random(number).choice(RUN if kind == "fuzz" else EXPORT)  # noqa: S311
    places = {
        "RUN": folder,
        "OUT": outer / "work" / "out",
        "NEW": outer / "set" / "new.csv",
        "VIDEO": sorted((outer / "set" / "videos").glob("* *.mp4"))[0],
    }
    words = [str(places.get(word, word)) for word in asked]
    words = [word.replace("=NEW", f"={places['NEW']}") for word in words]
    at = [f"folder={outer / 'work'}", "name=fuzz", f"data.cache={outer / 'cache'}"]
    return kind, [item for word in words for item in (at if word == "CACHE" else [word])]


def try_number(number: int, outer: Path) -> str:
    """Damage a folder and use it; return how that ended."""
    rmtree(outer / "work", ignore_errors=True)
    kind, (name, *given) = command_of(number, outer)
    folder = outer / "work" / "fuzz"
    copied_anew(outer / "sound" / kind, folder)
    damage(folder, number)
    out, complaints, threads = io.StringIO(), io.StringIO(), torch.get_num_threads()
    with redirect_stdout(out), redirect_stderr(complaints):
        code = MAINS[name](given)
    torch.set_num_threads(threads)
    said = "" if any(word in given for word in SPEAKS) else out.getvalue()
    ended = served.judge(
        code, said, complaints.getvalue(), allowed=(0, 1) if "doctor" in [name, *given] else (0,)
    )
    return (
        f"{'run' if kind in ('fuzz', 'export') else 'model'} {ended}" if ended[0] == "r" else ended
    )


def described(number: int, outer: Path) -> list[Any]:
    """Return what a number tries."""
    kind, command = command_of(number, outer)
    with TemporaryDirectory() as folder:
        copied_anew(outer / "sound" / kind, Path(folder))
        how = damage(Path(folder), number)
    mode = [word for word in command if word in ("validate", "inference", "embed", "doctor")]
    return [kind, how, command[0], *mode]


def main_of(given: Sequence[str] | None = None) -> int:
    """Count how many folders end how; return 1 where one ends in anything but a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", type=Path)
    options = parser.parse_args(given)
    if options.serve:
        outer = options.serve
        served.serve(lambda n: try_number(n, outer), lambda n: described(n, outer))
        return 0
    with TemporaryDirectory() as name:
        outer = Path(name)
        (outer / "here" / "below").mkdir(parents=True)
        write_sound(outer)
        numbers = range(options.first, options.first + options.count)
        command: list[str | Path] = ["benchmarks.fuzz_folders", "--serve", outer]
        found = served.run(
            command, numbers, outer / "here" / "below", lambda n: described(n, outer)
        )
    return served.told(found, options.out)


if __name__ == "__main__":
    sys.exit(guarded(main_of))
