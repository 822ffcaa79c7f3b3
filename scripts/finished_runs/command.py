"""Finished runs: list, show, diff, compare in pairs, and rank under one protocol.

``bash scripts/runs.sh compare --first runs/a-seed* --second runs/b-seed*``
"""

import argparse
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from cinelex.config.flat import flat
from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.projects.interface.results import Score
from cinelex.scripts.finished_runs.pairing import MEASURES, compare, refuse_losses
from cinelex.scripts.finished_runs.protocol import Measured, read_measured

WIDTH = 100
"""Of a line that says a protocol."""
COLUMNS = ("name", "finished", "project", "steps", "config", "data", "code", "checkpoint")


def listed(options: argparse.Namespace) -> list[str]:
    """Return a line a registered run: name, when, what, how long, hashes, and whether it is there.

    Raises:
        UserError: The folder has no registry.
    """
    lines = ["\t".join((*COLUMNS, "folder"))]
    for row in _registered(options.folder):
        there = "there" if (options.folder / row[0]).is_dir() else "deleted"
        lines.append("\t".join([*map(str, row[:4]), *(str(cell)[:12] for cell in row[4:]), there]))
    return lines


def _registered(folder: Path) -> list[tuple[str, ...]]:
    registry = folder / "registry.sqlite"
    if not registry.exists():
        raise UserError(f"{registry}: no run has finished there; name the folder with --folder")
    with closing(sqlite3.connect(f"file:{registry}?mode=ro", uri=True)) as connection:
        columns = ", ".join(COLUMNS)
        query = f"select {columns} from runs order by finished"  # noqa: S608, columns are ours
        return connection.execute(query).fetchall()


def shown(options: argparse.Namespace) -> list[str]:
    """Return what a run was, under which protocol it was measured, and its headline scores."""
    run = read_measured(options.run)
    hashes = {name: str(run.results.provenance[name])[:12] for name in run.results.provenance}
    lines = [f"{run.name}: {run.config.project}, {run.config.steps} steps, seed {run.config.seed}"]
    lines += [f"hash of {name}: {value}" for name, value in hashes.items()]
    lines += [f"protocol: {name} = {value}" for name, value in run.protocol.items()]
    return [*lines, *(_line(score) for score in run.results.scores() if score.headline)]


def _line(score: Score) -> str:
    nulls = ", ".join(
        f"{name} {null.value:.4g}" for name, null in score.nulls.items() if null.value is not None
    )
    value = "undefined" if score.value is None else f"{score.value:.4g}"
    known = score.low is not None and score.high is not None
    around = f" [{score.low:.4g}, {score.high:.4g}]" if known else ""
    return f"{score.name}: {value}{around} {score.unit}" + (f" ({nulls})" if nulls else "")


def differing(options: argparse.Namespace) -> list[str]:
    """Return the keys of two configs that differ, and the scores that both runs have."""
    first, second = (flat(load_config(run / "config.yaml")) for run in (options.run, options.other))
    keys = sorted(key for key in {*first, *second} if first.get(key) != second.get(key))
    lines = [f"{key}: {first.get(key)!r} -> {second.get(key)!r}" for key in keys]
    both = [read_measured(run) for run in (options.run, options.other)]
    names = {name: str(both[0].results.provenance[name]) for name in both[0].results.provenance}
    lines += [
        f"hash of {name}: {value[:12]} -> {str(both[1].results.provenance.get(name))[:12]}"
        for name, value in names.items()
        if value != str(both[1].results.provenance.get(name))
    ]
    for score in both[0].results.scores():
        other = both[1].results.score(score.name)
        if score.headline and other is not None and None not in (score.value, other.value):
            lines.append(f"{score.name}: {score.value:.4g} -> {other.value:.4g}")
    unpaired = "these differences have no interval: `compare` pairs runs by person"
    return [*(lines or ["nothing differs"]), unpaired]


def compared(options: argparse.Namespace) -> list[str]:
    """Return what pairing two groups of runs by person and seed says."""
    return compare(options.first, options.second, by=options.by)


def ranked(options: argparse.Namespace) -> list[str]:
    """Return a table for each protocol, best first; runs without hashes are named and left out."""
    refuse_losses(options.by)
    tables: dict[tuple[tuple[str, str], ...], list[Measured]] = {}
    refused = []
    for name, *_ in _registered(options.folder):
        if (options.folder / name).is_dir():
            try:
                run = read_measured(options.folder / name)
            except UserError as problem:
                refused.append(f"left out: {problem}")
                continue
            tables.setdefault(tuple(run.protocol.items()), []).append(run)
    lines = [line for one in tables.items() for line in _table(*one, by=options.by)]
    return [*lines, *refused] or [f"{options.folder}: no run with results is left"]


def _table(
    protocol: tuple[tuple[str, str], ...], runs: list[Measured], *, by: str
) -> Iterator[str]:
    scored = [(score, run) for run in runs for score in run.results.scores()]
    scored = [one for one in scored if one[0].name.endswith(f".{by}") and one[0].value is not None]
    if not scored:
        return
    told = ", ".join(f"{name}={value}" for name, value in protocol if value != "None")
    yield from wrap(f"protocol: {told}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    for direction in dict.fromkeys(score.name for score, _ in scored):
        yield direction
        own = [(score, run) for score, run in scored if score.name == direction]
        for score, run in sorted(own, key=lambda one: -(one[0].value or 0.0)):
            yield f"  {run.name}\t{_line(score).partition(': ')[2]}"


@dataclass(frozen=True)
class Part:
    """One of the commands."""

    help: str
    run: Callable[[argparse.Namespace], list[str]]
    arguments: Callable[[argparse.ArgumentParser], None]


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="folder of all runs")


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")


def _two(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument("other", type=Path, metavar="OTHER", help="folder of the other run")


def _by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default=MEASURES[0], help=f"one of {', '.join(MEASURES)}")


def _groups(parser: argparse.ArgumentParser) -> None:
    for group in ("--first", "--second"):
        parser.add_argument(group, type=Path, nargs="+", required=True, help="runs, one per seed")
    _by(parser)


def _board(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    _by(parser)


COMMANDS = {
    "list": Part("list every finished run with its hashes", listed, _folder),
    "show": Part("show a run's evaluation protocol and headline scores", shown, _one),
    "diff": Part("show which keys, hashes and scores of two runs differ", differing, _two),
    "compare": Part("compare groups of runs, paired by patient and seed", compared, _groups),
    "leaderboard": Part("rank all runs, one table per evaluation protocol", ranked, _board),
}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("runs.sh"), description=__doc__)
    made.add_commands({name: (part.help, part.arguments) for name, part in COMMANDS.items()})
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return its exit code, 2 for bad input."""
    options = parser().parse_args(arguments)
    say("\n".join(COMMANDS[options.command].run(options)))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
