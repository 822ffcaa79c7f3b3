"""Turn a hospital's folder of DICOM files into a data set. Started by scripts/prepare.sh."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinelex.config.flat import leaves
from cinelex.config.load import load_options
from cinelex.config.prepare_schema import PrepareConfig
from cinelex.core.console import say
from cinelex.core.cores import usable_cores
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.folders import check_writable
from cinelex.data.prepare.road import Request, prepare
from cinelex.data.prepare.settings import PrepareSettings, ReportSettings, SplitSettings
from cinelex.data.prepare.walk import Share
from cinelex.metrics.facts.parse import read

READERS = {"coronary": read, "none": None}
DEMO = Path("demo")
"""Where ``--demo`` puts its hospital and its data set."""
DEMO_SPLITS = ["splits.by=time", "splits.val_from=2019-01-01", "splits.test_from=2020-01-01"]
"""The periods of the synthetic hospital: 32 studies are too few for shares."""
DEMO_RUN = " name=demo batch=8 steps=100"
"""So few studies are less than a batch of the config."""


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("prepare.sh"), description=__doc__)
    add = made.add_argument
    add("--dicom", type=Path, help="folder of the export; only read, any nesting")
    add("--reports", type=Path, help="table of reports: CSV, Excel, Parquet or JSON lines")
    add("--out", type=Path, help="folder of the data set, created or resumed")
    add("--part", metavar="I/N", help="process only the I-th of N shares of the files")
    add("--demo", action="store_true", help="make a synthetic hospital in ./demo and prepare it")
    add("options", nargs="*", metavar="key.path=value", help="options: config/prepare_schema.py")
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_intermixed_args(arguments)
    if options.demo and not any(text.startswith("splits.") for text in options.options):
        options.options = [*DEMO_SPLITS, *options.options]
    config = load_options(PrepareConfig, options.options)
    if options.demo:
        make_demo(options)
    for name in ("dicom", "out"):
        if getattr(options, name) is None:
            raise UserError(f"--{name} is missing; see --help, or try --demo")
    check_writable(options.out, "--out")
    reports = prepare(request(options, config))
    if options.part is None:
        say_what_next(options, reports)
    return 0


def request(options: argparse.Namespace, config: PrepareConfig) -> Request:
    """Return what the command line and the options ask for."""
    return Request(
        dicom=options.dicom,
        out=options.out,
        reports=options.reports,
        share=share_of(options.part),
        settings=settings_of(config),
        options=dict(leaves(config.model_dump(mode="json"))),
        read_facts=READERS[config.reports.facts],
    )


def share_of(text: str | None) -> Share:
    """Return the share that ``I/N`` means; all files where nothing is said."""
    if text is None:
        return Share()
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UserError(f"--part: expected I/N with I from 1 to N, such as 3/16, got {text!r}")
    return Share(int(match[1]), int(match[2]))


def settings_of(config: PrepareConfig) -> PrepareSettings:
    """Return the settings that some options are."""
    own: dict[str, Any] = dict(config)
    reports, splits = dict(config.reports), dict(config.splits)
    del reports["facts"]
    columns = {field: name for field, name in config.reports.columns if name is not None}
    own |= {
        "workers": config.workers or usable_cores(),
        "reports": ReportSettings(**(reports | {"columns": columns})),
        "splits": SplitSettings(**splits),
    }
    return PrepareSettings(**own)


def make_demo(options: argparse.Namespace) -> None:
    """Make the synthetic hospital, and let the rest of the command line be about it."""
    from cinelex.data.synthetic.hospital.make import make_hospital
    from cinelex.data.synthetic.hospital.settings import DEMO as SMALL

    if options.dicom or options.reports:
        raise UserError("--demo makes its own --dicom and --reports; leave those out")
    say(f"a synthetic hospital in {DEMO}: DICOM files, a spreadsheet, and files that are neither")
    hospital = make_hospital(SMALL, DEMO)
    options.dicom, options.reports = hospital / "export", hospital / "reports.csv"
    options.out = options.out or DEMO / "dataset"


def say_what_next(options: argparse.Namespace, reports: int) -> None:
    """Say where the card is, and the next command."""
    say(f"card: {options.out / 'card.md'}")
    if not reports:
        say("not ready for training: no study has a report; run again with --reports")
        return
    train = "cinelex train" if prog("") else "bash scripts/runner.sh"
    say(
        f"train: {train} --base_config config/clip/multitask_config.yaml "
        f"data.manifest={options.out / 'manifest.parquet'} data.columns.patient=patient_id"
        f"{DEMO_RUN if options.demo else ''}"
    )
    if options.demo:
        say("so few studies will be memorised, and the report page will say so")


if __name__ == "__main__":
    sys.exit(guarded(main))
