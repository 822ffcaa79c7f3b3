"""Write a trained run's predictions in CardioBench's format, one file per task."""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.data.studies.study import split_name
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import COMMAND_LINE


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("cinelex cardiobench"), description=__doc__)
    add = made.add_argument
    add("run", metavar="RUN", help="the folder of a run, an export or a bundle")
    add("--task", required=True, help="such as CAMUS/EF; an unknown task lists all")
    add("--split_file", type=Path, required=True, help="the harness's table of ids and splits")
    add("--split", default="test", help="rows to predict; all for every row")
    add("--path_column", default="path", help="column of video paths")
    add("--video_root", type=Path, default=Path(), help="folder that paths are relative to")
    add("--out", type=Path, required=True, help="output folder; writes TASK/NAME.csv in it")
    add("--name", help="name of the model (default: the run's folder)")
    add("--device", default="cpu", help="where to compute: cpu or cuda")
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_args(arguments)
    from cinelex.trained.cardiobench import TASKS  # here, because the models' libraries take long
    from cinelex.trained.loading import load

    if options.task not in TASKS:
        raise UserError(f"--task {options.task!r}: there are {', '.join(TASKS)}")
    task = TASKS[options.task]
    rows = _rows(options, [task.id, *task.extra, options.path_column])
    missing = [n for n, row in enumerate(rows, 1) if not _video(options, row).is_file()]
    if missing:
        raise UserError(
            f"{options.split_file}: {len(missing)} of {len(rows)} videos are not below "
            f"{options.video_root}, the first in row {missing[0]} of the split; set --video_root"
        )
    studies: dict[str, list[Path]] = defaultdict(list)
    for row in rows:
        studies[row[task.id]].append(_video(options, row))
    run = load(options.run, device=options.device)
    answers = task.answers(run, list(studies.values()))
    first = {row[task.id]: row for row in reversed(rows)}
    written = [
        {task.id: key, **answer, **{name: first[key][name] for name in task.extra}}
        for key, answer in zip(studies, answers, strict=True)
    ]
    from pandas import DataFrame  # here, because it takes a second

    path = options.out / options.task / f"{options.name or Path(options.run).name}.csv"
    write_whole(path, DataFrame(written).to_csv(index=False))
    say(f"written: {path}, {len(written)} rows")
    return 0


def _rows(options: argparse.Namespace, names: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of the split that was asked for.

    Raises:
        UserError: A column is missing, or no row is left.
    """
    table = read_table(options.split_file, section=COMMAND_LINE, key="--split_file")
    absent = [name for name in names if name not in table.names]
    if absent:
        there = ", ".join(table.names)
        raise UserError(f"{options.split_file}: no column {absent[0]!r}; it has {there}")
    columns = [table.column(name).to_pylist() for name in table.names]
    rows = [dict(zip(table.names, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if options.split != "all" and "split" in table.names:
        rows = [row for row in rows if split_name(row["split"] or "") == split_name(options.split)]
    if not rows:
        raise UserError(f"{options.split_file}: no row is in split {options.split!r}")
    return rows


def _video(options: argparse.Namespace, row: dict[str, str]) -> Path:
    found: Path = options.video_root / row[options.path_column]
    return found


if __name__ == "__main__":
    sys.exit(guarded(main))
