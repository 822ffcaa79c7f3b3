"""The command ``doctor logs``."""

import argparse
import json
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.doctor.logs.read import read_logs
from cinelex.doctor.logs.report import write_log_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="W&B CSV export, runs table, TensorBoard event file, metrics.jsonl, an SQLite file of "
        "MLflow or trackio, or a folder, such as mlruns",
    )
    parser.add_argument("--out", type=Path, default=Path("log_report"), help="output folder")
    parser.add_argument("--json", action="store_true", help="the claims as JSON, for machines")
    parser.add_argument("--title", help="headline; default: the runs' names")


def run(options: argparse.Namespace) -> int:
    """Read the files, write the report, say the key findings; return 0.

    Raises:
        UserError: A file cannot be read, or the folder cannot be written to.
    """
    log = read_logs(options.files)
    title = options.title or f"Log of {_subject(log.run_names or [row.run for row in log.runs])}"
    try:
        entries = write_log_report(log, options.out, title=title)
    except OSError as problem:
        raise UserError(
            f"{options.out}: cannot be written to ({problem.strerror}); set --out"
        ) from None
    if options.json:
        say(json.dumps([entry.as_json() for entry in entries], indent=1, ensure_ascii=False))
        return 0
    say((options.out / "key_findings.txt").read_text(encoding="utf-8").rstrip())
    say(f"\n{len(entries)} claims in {options.out / 'report.html'}")
    return 0


def _subject(runs: list[str]) -> str:
    return runs[0] if len(runs) == 1 else f"{len(runs)} runs"
