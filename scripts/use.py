"""Ask a trained run about one study: its caption, its facts, the reports nearest to it."""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError

QUESTIONS = ("caption", "facts", "search")


def parser(what: str | None = None) -> argparse.ArgumentParser:
    """Return the command line; of one question only what it reads."""
    made = CommandLine(prog=prog(f"cinelex {what or 'caption'}"), description=__doc__)
    add = made.add_argument
    add("run", metavar="RUN", help="the folder of a run, an export or a bundle")
    add("videos", type=Path, nargs="+", metavar="VIDEO", help="all videos of one study")
    add("--run_mode", choices=QUESTIONS, default=what or "caption", help=argparse.SUPPRESS)
    add("--device", default="cpu", help="where to compute: cpu or cuda")
    if what in (None, "search"):
        add(
            "--reports",
            type=Path,
            help="table with a column of reports, or text file, one per line",
        )
        add("--count", type=int, default=5, help="how many to show")
    return made


def _question(arguments: Sequence[str] | None) -> str | None:
    """Return which of the questions is asked, so that help is about that one."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--run_mode")
    mode: str | None = first.parse_known_args(arguments)[0].run_mode
    return mode


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser(_question(arguments)).parse_args(arguments)
    missing = [place for place, path in enumerate(options.videos, 1) if not path.is_file()]
    if missing:
        number, folder = missing[0], options.videos[missing[0] - 1].is_dir()
        what = "is a folder; name the files in it" if folder else "there is no such file"
        raise UserError(f"video {number} of {len(options.videos)}: {what}")
    if options.run_mode == "search" and options.count < 1:
        raise UserError(f"--count: expected 1 or more, got {options.count}")
    from cinelex.trained.loading import load  # here, because the models' libraries take seconds

    reports = read_reports(options.reports) if options.run_mode == "search" else []
    run, study = load(options.run, device=options.device), [options.videos]
    if options.run_mode == "caption":
        if run.unheld:
            sys.stderr.write(
                "warning: the run has no facts.json; its caption is held to no facts\n"
            )
        say(run.caption(study)[0])
    elif options.run_mode == "facts":
        for fact in run.facts(study)[0]:
            value = "" if fact.value is None else f"  {fact.value:.3g}"
            chance = "" if fact.probability is None else f"  probability {fact.probability:.2f}"
            say(f"{fact.place}: {fact.attribute}{value}{chance}")
    else:
        found = run.search(study, reports, count=len(reports))[0]
        for match in found[: options.count]:
            say(f"{match.cosine:.3f}  {match.report}")
        say(f"a report at random: {statistics.fmean(match.cosine for match in found):.3f}")
    return 0


def read_reports(path: Path | None) -> list[str]:
    """Return the different reports of a table, or the lines of a text file.

    Raises:
        UserError: There is no such file, or nothing in it.
    """
    if path is None:
        raise UserError("--reports is missing: a table with a column of reports, or a text file")
    if path.suffix == ".txt" and path.is_file():
        from cinelex.data.tables.encoding import to_utf8

        text, _ = to_utf8(path, path.read_bytes(), encoding=None, key="its encoding")
        found = text.decode().splitlines()
    else:
        from cinelex.data.tables.read import read_table
        from cinelex.data.tables.table import COMMAND_LINE
        from cinelex.scripts.setup.columns import guess_text, text_of

        table = read_table(path, section=COMMAND_LINE, key="--reports")
        found = text_of(table, guess_text(table).name)
    kept = list(dict.fromkeys(line.strip() for line in found if line.strip()))
    if not kept:
        raise UserError(f"{path}: there is no report in it")
    return kept


if __name__ == "__main__":
    sys.exit(guarded(main))
