"""Evaluate a bundle on the studies of this site; a page and counts come out, and nothing else."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from cinelex.config.data_schema import ColumnsConfig
from cinelex.config.load import load_options
from cinelex.config.prepare_schema import PrepareConfig
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, read_json, write_json
from cinelex.core.folders import check_writable
from cinelex.data.prepare.flow import WAITS, flow_of
from cinelex.data.prepare.road import Request, prepare
from cinelex.doctor.charts import short
from cinelex.doctor.report.tables import score_table
from cinelex.doctor.templates import write_page
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Results
from cinelex.scripts.bundle import FORMAT, PROTOCOL
from cinelex.scripts.prepare import READERS, settings_of
from cinelex.trained.exported import CONFIG, load_export
from cinelex.trained.site import evaluate_site, read_site

FLOW: Final = {
    "name": "flow",
    "title": "From files to studies",
    "note": "What became of each; all that were found are counted once.",
}
"""The table of what the scores leave out."""


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = CommandLine(prog=prog("cinelex evaluate"), description=__doc__)
    add = options.add_argument
    add("bundle", type=Path, help="a folder that cinelex bundle wrote")
    add("--dicom", type=Path, help="folder of DICOM files, read alone, nested anyhow")
    add("--reports", type=Path, help="their reports: CSV, Excel, Parquet or JSON lines")
    add("--manifest", type=Path, help="a manifest of videos and reports, in place of the two")
    add("--out", type=Path, required=True, help="folder of the page and the counts")
    add(
        "--work",
        type=Path,
        help="where frames are kept meanwhile, and stay; a temporary folder that goes without it",
    )
    add(
        "columns",
        nargs="*",
        metavar="column=name",
        help="columns of the manifest, such as report=text patient=patient_id",
    )
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_intermixed_args(arguments)
    own = options.manifest is not None
    if own == (options.dicom is not None) or own == (options.reports is not None):
        raise UserError("give --dicom and --reports, or --manifest")
    named = options.columns if own else ["patient=patient_id", *options.columns]
    columns = load_options(ColumnsConfig, named)
    _check_folders(options)
    check_writable(options.out, "--out")
    run = load_export(options.bundle)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        manifest = options.manifest if own else _prepared(options, work / "dataset")
        studies, left_out = read_site(run, manifest, columns, cache=work / "cache")
        results = evaluate_site(run, studies, bundle=hash_file(options.bundle / CONFIG))
        flow = [] if own else flow_of(work / "dataset")
    waiting = sum(row["count"] for row in flow if row["became"] == WAITS)
    if waiting and options.work is None:
        say(
            f"masks: {waiting} cines are left out until a person has looked at theirs; "
            "--work FOLDER keeps them, to approve or reject"
        )
    flow += [
        {"of": "studies", "became": f"left out: {why}", "count": count}
        for why, count in left_out.items()
        if count
    ]
    flow += [{"of": "studies", "became": "evaluated", "count": len(studies)}]
    _write(options.out, run.config.name, replace(results, tables=[Table(**FLOW, rows=flow)]))
    return 0


def _check_folders(options: argparse.Namespace) -> None:
    """Refuse folders that would put patients' frames, or results, where a folder travels.

    Raises:
        UserError: One lies in the other.
    """
    folders = [("--out", options.out, "the bundle", options.bundle)]
    if options.work is not None:
        folders.append(("--work", options.work, "the bundle", options.bundle))
        folders.append(("--work", options.work, "--out", options.out))
    for name, inner, other, outer in folders:
        if inner.resolve().is_relative_to(outer.resolve()):
            raise UserError(f"{name} lies in {other}, which travels; give a folder elsewhere")


def _prepared(options: argparse.Namespace, out: Path) -> Path:
    """Go the road as the bundle says, and return the manifest."""
    protocol: Any = read_json(options.bundle / PROTOCOL)
    if not isinstance(protocol, dict) or protocol.get("format") != FORMAT:
        raise UserError(f"{options.bundle / PROTOCOL}: not of format {FORMAT}; bundle it again")
    config = PrepareConfig.model_validate_json(json.dumps(protocol["prepare"]))
    asked = Request(
        dicom=options.dicom,
        out=out,
        reports=options.reports,
        settings=settings_of(config),
        options={},
        read_facts=READERS[config.reports.facts],
        stays=options.work is not None,
    )
    if not prepare(asked):
        raise UserError(
            "no study of which a cine is kept has a report; --work FOLDER keeps the ids that found "
            "no partner (dataset/private) and the masks that wait (dataset/review.html)"
        )
    return out / "manifest.parquet"


def _write(out: Path, name: str, results: Results) -> None:
    """Write the page and the same as JSON."""
    write_json(out / "results.json", results.as_json())
    page = write_page(
        out / "report.html",
        "report/site.html.jinja",
        name=name,
        groups=[score_table(group) for group in results.groups],
        counts=results.counts,
        tables=results.tables,
        short=short,
        provenance=results.provenance,
    )
    say(f"page: {page}\ncounts: {out / 'results.json'}; these two hold no text, path or id")


if __name__ == "__main__":
    sys.exit(guarded(main))
