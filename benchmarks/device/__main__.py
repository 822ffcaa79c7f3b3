"""Everything that waits for a GPU, in one command of at most nine minutes.

    bash benchmarks/device.sh [--out FOLDER] [--only PART] [--dry]

Each part runs in a process of its own with its own limit, so that one failure does not lose the
rest. ``device.json`` and ``device.md`` are written after every part. ``--dry`` runs all of it in
this process, on the CPU, at the least sizes.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.device import correctness, kernels, training
from benchmarks.device.found import Found, Place

TOTAL_S = 530.0
"""Of all parts; what is left then is not begun."""
HEAD = "| what | figure | asked | |\n|---|---|---|---|"


@dataclass(frozen=True)
class Part:
    """Some checks that share a process."""

    run: Callable[[Place], Iterator[Found]]
    limit_s: float


PARTS = {
    "rates": Part(kernels.rates, 30),
    "losses": Part(kernels.losses, 40),
    "bf16": Part(correctness.bf16, 60),
    "waits": Part(correctness.waits, 60),
    "resume": Part(correctness.resume, 45),
    "ranks": Part(correctness.ranks, 45),
    "steps": Part(training.steps, 75),
    "masked": Part(training.masked, 45),
    "recipe": Part(training.recipe, 110),
    "loss_speed": Part(kernels.loss_speed, 45),
    "captions": Part(kernels.captions, 45),
    "search": Part(kernels.search, 90),
}
TESTS, TESTS_S = "tests", 60.0
"""The tests that are marked ``gpu``."""


def place_of(*, dry: bool) -> Place:
    """Return where to run.

    Raises:
        SystemExit: There is no GPU, and no dry run was asked for.
    """
    if not dry and not torch.cuda.is_available():
        raise SystemExit("no GPU is visible; --dry runs the same code on the CPU")
    return Place(torch.device("cpu") if dry else torch.device("cuda", 0), dry)


def alone(name: str) -> int:
    """Run one part here and write what it finds, a line each."""
    for found in PARTS[name].run(place_of(dry=False)):
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.flush()
    return 0


def apart(name: str, limit_s: float) -> Iterator[dict[str, Any]]:
    """Run one part in a process of its own; a failure becomes a line."""
    command = [sys.executable, "-m", "benchmarks.device", "--alone", name]
    done = _limited(command, limit_s)
    lines = [line for line in done[0].splitlines() if line.startswith('{"what"')]
    yield from (json.loads(line) for line in lines)
    if done[1]:
        yield asdict(Found(f"part {name}", done[1], "ends", False))


def gpu_tests(limit_s: float) -> Iterator[dict[str, Any]]:
    """Run the tests that are marked ``gpu``, without plugins that may not be there."""
    plain = ["-o", "addopts=--import-mode=importlib", "-W", "default"]
    command = [sys.executable, "-m", "pytest", *plain, "-q", "-m", "gpu", "tests/device"]
    said, problem = _limited(command, limit_s)
    yield asdict(Found("CUDA tests", problem or said.splitlines()[-1], "all pass", not problem))


def _limited(command: Sequence[str], limit_s: float) -> tuple[str, str]:
    """Return what a command says, and what went wrong if something did."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=max(1.0, limit_s)
        )
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
        return said.decode() if isinstance(said, bytes) else said, f"not done in {limit_s:.0f} s"
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return done.stdout, "" if done.returncode == 0 else f"failed: {last[:200]}"


def keep(found: dict[str, list[dict[str, Any]]], folder: Path, place: Place, began: float) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "device": place.name,
        "torch": torch.__version__,
        "seconds": round(time.monotonic() - began, 1),
    }
    kept = {"about": about, "parts": found}
    (folder / "device.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    marks = {True: "met", False: "**missed**", None: ""}
    rows = [row for part in found.values() for row in part]
    lines = [f"| {r['what']} | {r['figure']} | {r['goal']} | {marks[r['met']]} |" for r in rows]
    title = ", ".join(str(value) for value in about.values()) + " s"
    (folder / "device.md").write_text("\n".join([title, "", HEAD, *lines, ""]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all parts, or one."""
    parser = argparse.ArgumentParser(prog="benchmarks/device.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("device"), help="where results go")
    parser.add_argument("--only", choices=(*PARTS, TESTS), help="one part")
    parser.add_argument("--dry", action="store_true", help="on the CPU, at the least sizes")
    parser.add_argument("--alone", choices=PARTS, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.alone:
        return alone(asked.alone)
    place, began = place_of(dry=asked.dry), time.monotonic()
    found: dict[str, list[dict[str, Any]]] = {}
    for name in [asked.only] if asked.only else [*PARTS, TESTS]:
        left = TOTAL_S - (time.monotonic() - began)
        if asked.dry:
            found[name] = [asdict(f) for f in PARTS[name].run(place)] if name in PARTS else []
        elif left < 5:
            found[name] = [asdict(Found(f"part {name}", "no time was left", "ends", False))]
        elif name == TESTS:
            found[name] = list(gpu_tests(min(TESTS_S, left)))
        else:
            found[name] = list(apart(name, min(PARTS[name].limit_s, left)))
        keep(found, asked.out, place, began)
    sys.stdout.write((asked.out / "device.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
