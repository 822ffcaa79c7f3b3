"""What every benchmark shares: ways that take turns, ratios with their spread, and one record."""

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import NamedTuple

Way = Callable[[], object]


class Ratio(NamedTuple):
    """Of this project's figure to another, over the rounds of a series."""

    median: float
    low: float
    high: float


def once(ratio: float) -> Ratio:
    """Return the ratio of what was measured once."""
    return Ratio(ratio, ratio, ratio)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table of results: this project's way beside a peer's, or beside a limit."""

    number: str
    """Of the list of benchmarks, such as ``P4``."""
    what: str
    figure: str
    """What was measured, with its unit."""
    beside: str
    """The peer, with its version, or the limit; and its figure."""
    ratio: Ratio
    goal: float
    """The ratio that is asked for."""
    less: bool = True
    """Whether a smaller ratio is better."""
    command: str = ""

    @property
    def met(self) -> bool:
        """Return whether the median ratio reaches the goal."""
        return self.ratio.median <= self.goal if self.less else self.ratio.median >= self.goal


def take_turns(ways: Mapping[str, Way], *, rounds: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each way, round by round; every other round runs backwards.

    One round comes before, which nobody counts. CPU time, because other work may run beside.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for place in range(rounds + 1):
        order = list(ways) if place % 2 else list(ways)[::-1]
        for name in order:
            began = process_time()
            ways[name]()
            if place:
                taken[name].append(process_time() - began)
    return taken


def ratio_of(taken: Mapping[str, Sequence[float]], ours: str, other: str) -> Ratio:
    """Return the ratio of two ways over the rounds."""
    return spread([mine / theirs for mine, theirs in zip(taken[ours], taken[other], strict=True)])


def spread(ratios: Sequence[float]) -> Ratio:
    """Return the median, the least and the largest."""
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def seconds(taken: Sequence[float]) -> str:
    """Return the median, to be read."""
    return f"{statistics.median(taken):.3g} s"


def peak_mib(module: str, *arguments: str) -> tuple[float, float]:
    """Return how many MiB and CPU seconds a step of a module takes in a process of its own.

    The module answers ``--alone`` with what `report_peak` writes.
    """
    command = [sys.executable, "-m", module, "--alone", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    mib, taken = done.stdout.split()[-2:]
    return float(mib), float(taken)


def report_peak(work: Way) -> None:
    """Run something and write the MiB by which this process grew, and its CPU seconds."""
    Path("/proc/self/clear_refs").write_text("5")  # what imports held at most is forgotten
    before, began = _status_mib("VmRSS"), process_time()
    work()
    taken = process_time() - began
    sys.stdout.write(f"{_status_mib('VmHWM') - before:.1f} {taken:.2f}\n")


def _status_mib(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def memory(
    module: str, what: str, asked: Sequence[str], *, number: str, peer: tuple[str, str], goal: float
) -> Row:
    """Compare the memory that a process needs on top of its rows.

    Args:
        module: See `peak_mib`; its first argument is the way, ``ours`` or the peer's.
        what: Which work it is.
        asked: Its other arguments.
        number: Of the list of benchmarks.
        peer: The way that stands beside, and its package.
        goal: The ratio that is asked for.
    """
    mine, taken = peak_mib(module, "ours", *asked)
    theirs, longer = peak_mib(module, peer[0], *asked)
    return Row(
        number=number,
        what=f"{what}, memory",
        figure=f"{mine:,.0f} MiB in {taken:.1f} s",
        beside=f"{of(peer[1])} {theirs:,.0f} MiB in {longer:.1f} s",
        ratio=once(mine / theirs),
        goal=goal,
    )


def growth(module: str, what: str, asked: Sequence[str], sizes: tuple[int, int]) -> Row:
    """Return the exponent of memory: 1 where it grows with N, 2 where with its square.

    Args:
        module: See `peak_mib`; its last argument is the size.
        what: Which work it is.
        asked: Its arguments before the size.
        sizes: The two that are compared.
    """
    small, large = (peak_mib(module, "ours", *asked, str(size))[0] for size in sizes)
    return Row(
        number="P12",
        what=f"{what}, growth of memory from {sizes[0]:,} to {sizes[1]:,}",
        figure=f"{small:,.0f} to {large:,.0f} MiB",
        beside="exponent 1: O(N)",
        ratio=once(math.log(large / small) / math.log(sizes[1] / sizes[0])),
        goal=1.2,
    )


def time_growth(what: str, ways: Mapping[int, Way], *, rounds: int) -> Row:
    """Return the exponent of time: 1 where it grows with N, 2 where with its square.

    Args:
        what: Which work it is; its sizes are told behind it.
        ways: The work at two sizes, the smaller first.
        rounds: How often each takes its turn.
    """
    small, large = ways
    taken = take_turns({str(size): way for size, way in ways.items()}, rounds=rounds)
    exponents = [
        math.log(more / less) / math.log(large / small)
        for less, more in zip(*taken.values(), strict=True)
    ]
    return Row(
        number="P12",
        what=f"growth of {what}, from {small:,} to {large:,}",
        figure=" to ".join(seconds(values) for values in taken.values()),
        beside="exponent 1: O(N)",
        ratio=spread(exponents),
        goal=1.2,
    )


def of(package: str) -> str:
    """Return a peer's name and version."""
    return f"{package} {version(package)}"


def main(rows: Callable[[bool], list[Row]], module: str) -> int:
    """Measure, write a line a row, and keep them where ``--json`` says.

    Args:
        rows: Measures; quickly, at smaller sizes, where it gets True.
        module: The name of the benchmark, for the command that makes it.
    """
    import torch

    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--json", type=Path, help="where the rows are kept")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found = rows(asked.quick)
    for row in found:
        sys.stdout.write(line(row) + "\n")
    if asked.json is not None:
        command = f"python -m {module}" + (" --quick" if asked.quick else "")
        kept = [asdict(row) | {"command": command, "met": row.met} for row in found]
        asked.json.write_text(json.dumps(kept, indent=1) + "\n")
    return 0


def line(row: Row) -> str:
    """Return a row of the table."""
    sign = "≤" if row.less else "≥"
    verdict = "met" if row.met else "**missed**"
    spread = f"{row.ratio.median:.2f} ({row.ratio.low:.2f}–{row.ratio.high:.2f})"
    return (
        f"| {row.number} | {row.what} | {row.figure} | {row.beside} | {spread} | "
        f"{sign} {row.goal:g}: {verdict} |"
    )


def machine() -> str:
    """Return what the figures were made on, and with which libraries."""
    import torch

    return (
        f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, "
        "one thread, CPU time"
    )
