"""A child that tries one thing after another, is killed where it hangs, and starts anew."""

import json
import resource
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from select import select
from typing import Any

import torch

from benchmarks.planted import LEAK
from cinelex.core.processes import child_environment

LIMIT_S = 200.0
MEMORY = 12 << 30
READY = "ready"
"""What a child says once its libraries are loaded, which no limit counts."""


def serve(try_one: Callable[[int], str], what: Callable[[int], Any]) -> None:
    """Try each number that stands on standard input, and say how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    torch.set_num_threads(1)
    answers = sys.stdout
    sys.stdout = sys.stderr
    answers.write(f"{READY}\n")
    answers.flush()
    for line in sys.stdin:
        try:
            ended = try_one(int(line))
        except BaseException as problem:  # noqa: BLE001  whatever comes here is what is looked for
            last = traceback.extract_tb(problem.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            ended = f"DEFECT {type(problem).__name__} at {place}: {str(problem)[:200]}"
        answers.write(json.dumps([what(int(line)), ended]) + "\n")
        answers.flush()


def run(
    command: Sequence[str | Path], numbers: Sequence[int], folder: Path, what: Callable[[int], Any]
) -> list[tuple[Any, str]]:
    """Try numbers in children that serve.

    Args:
        command: What starts one, behind ``python -m``.
        numbers: Tried in this order.
        folder: Where they work; what they say is written beside it.
        what: Describes a number.
    """
    left, found, said = list(numbers), list[tuple[Any, str]](), folder.with_name("said")
    while left:
        with (
            said.open("a", encoding="utf-8") as errors,
            subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=folder,
                env=child_environment(),
            ) as child,
        ):
            left = _ask(child, left, found, what)
    # what libraries and further processes say does not go the way of Python's streams
    lines = said.read_text(errors="replace").splitlines()
    leaks = [line for line in lines if LEAK.search(line)]
    return found + [("", f"DEFECT leak on standard error: {line[:300]}") for line in leaks]


def _ask(
    child: "subprocess.Popen[str]",
    left: list[int],
    found: list[tuple[Any, str]],
    what: Callable[[int], Any],
) -> list[int]:
    """Ask one child until it ends; return the numbers that nobody has answered."""
    assert child.stdin is not None
    assert child.stdout is not None
    if child.stdout.readline().strip() != READY:
        raise ChildProcessError("the child did not start; see what it said")
    while left:
        number = left.pop(0)
        child.stdin.write(f"{number}\n")
        child.stdin.flush()
        heard = bool(select([child.stdout], [], [], LIMIT_S)[0])
        line = child.stdout.readline() if heard else ""
        if line:
            tried, ended = json.loads(line)
        else:
            tried, ended = what(number), "DEFECT died" if heard else "DEFECT hung"
        found.append((tried, ended))
        if ended.startswith("DEFECT"):
            sys.stdout.write(f"{number} {tried} {ended}\n")
            sys.stdout.flush()
        if not line:
            child.kill()
            break
    child.stdin.close()
    return left


def judge(code: int, out: str, complaints: str, *, allowed: Sequence[int] = (0,)) -> str:
    """Return how a command ended: refused in one line, run, or a defect.

    Args:
        code: Its exit code.
        out: What it wrote to standard output.
        complaints: What it wrote to standard error.
        allowed: Exit codes of success.
    """
    if LEAK.search(out + complaints):
        line = next(line for line in (out + complaints).splitlines() if LEAK.search(line))
        return f"DEFECT leak: {line[:300]}"
    errors = [line for line in complaints.splitlines() if line.startswith("error: ")]
    if code == 2 and len(errors) == 1 and complaints.strip().splitlines()[-1] == errors[0]:
        return "refused"
    return "run" if code in allowed else f"DEFECT exit code {code}: {complaints[-300:]}"


def told(found: Sequence[tuple[Any, str]], out: Path | None) -> int:
    """Say how many ended how, keep it in a file if one is named; return 1 where there are defects.

    Args:
        found: What was tried, and how it ended.
        out: Gets the counts and the defects, as JSON.
    """
    kinds = Counter("DEFECT" if end.startswith("DEFECT") else end for _, end in found)
    defects = [row for row in found if row[1].startswith("DEFECT")]
    if out:
        out.write_text(json.dumps({"counts": kinds, "defects": defects}, indent=1))
    sys.stdout.write(f"{dict(kinds)}\n")
    return int(bool(defects))
