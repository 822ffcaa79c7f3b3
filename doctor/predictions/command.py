"""What can be asked, without training, of predictions that any system wrote.

``bash scripts/doctor.sh predictions embeddings.parquet --manifest manifest.csv``
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import SICK
from cinelex.data.tables.read import read_table
from cinelex.data.tables.table import COMMAND_LINE
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import as_json, is_sick, summary, worst_first
from cinelex.doctor.predictions.columns import Wanted
from cinelex.doctor.predictions.read import read_predictions
from cinelex.doctor.predictions.table import Predictions
from cinelex.doctor.rules.predictions import PREDICTIONS

REPEATED = {
    "--embeddings": ("FILE", "further NumPy or Parquet files, whose rows are those of the table"),
    "--score": ("PREDICTION=TRUTH", "a column of the table and one of the manifest, numbers"),
    "--text": ("COLUMN[=REPORT]", "a column of texts, and their references in the manifest"),
    "--where": ("COLUMN=VALUE", "which rows of the table are meant, such as kind=study"),
    "--same": ("COLUMN", "a column of the manifest whose equal cells mean one person or study"),
    "--subgroup": ("COLUMN", "a column of the manifest whose levels are compared"),
    "--metadata": ("COLUMN", "a column of the manifest that knows the machine alone"),
}
ONCE = {
    "--key": ("COLUMN", "the ids, in table and manifest; guessed from usual names"),
    "--split": ("NAME", "the split that was asked for; all of the manifest where left out"),
    "--split_column": ("COLUMN", "where the manifest says the split (default: split)"),
    "--patient": (
        "COLUMN",
        "where the manifest says the person (default: patient_id, if it is there)",
    ),
    "--video_column": (
        "COLUMN",
        "where the manifest has the videos, for --encoder (default: video_path)",
    ),
}
FILES = {
    "--ids": "the ids of a NumPy matrix, in the order of its rows",
    "--reference": "another table: were these predictions made from those?",
    "--again": "some rows that your own encoder made anew, each under its id",
    "--encoder": "a run that encodes some rows anew",
    "--video_root": "the folder that paths start from; that of the manifest where left out",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("table", type=Path, metavar="TABLE", help="Parquet, CSV or .npy")
    parser.add_argument(
        "--manifest", type=Path, required=True, help="what was to be predicted, with its ids"
    )
    for option, (metavar, what) in REPEATED.items():
        parser.add_argument(option, metavar=metavar, nargs="+", default=[], help=what)
    for option, (metavar, what) in ONCE.items():
        parser.add_argument(option, metavar=metavar, help=what)
    for option, what in FILES.items():
        parser.add_argument(option, type=Path, metavar="FILE", help=what)
    parser.add_argument("--rows", type=int, default=16, help="how many --encoder draws")
    parser.add_argument("--json", action="store_true", help="findings as JSON, for machines")


def run(options: argparse.Namespace) -> int:
    """Say every finding, worst first; return 1 if one is an error, else 0.

    Raises:
        UserError: A file is missing or damaged, or a column that was named does not exist.
    """
    table = read(options)
    evidence = Evidence(table=table)
    findings = worst_first(one for rule in PREDICTIONS for one in rule.findings(evidence))
    if options.json:
        say(as_json(findings))
    else:
        say("\n".join(_read(table)))
        say(summary(findings))
    return SICK if is_sick(findings) else 0


def read(options: argparse.Namespace) -> Predictions:
    """Return the table that a command line means, with what it is to be compared with.

    Raises:
        UserError: A file is missing or damaged, or a column that was named does not exist.
    """
    wanted = _wanted(options)
    return _beside(read_predictions(options.table, wanted), options, wanted)


def _wanted(options: argparse.Namespace) -> Wanted:
    return Wanted(
        manifest=options.manifest,
        ids=options.ids,
        key=options.key,
        embeddings=options.embeddings,
        scores=options.score,
        texts=options.text,
        where=options.where,
        split=options.split,
        split_column=options.split_column or "split",
        patient=options.patient,
        same=options.same,
        subgroups=options.subgroup,
        metadata=options.metadata,
    )


def _beside(table: Predictions, options: argparse.Namespace, wanted: Wanted) -> Predictions:
    """Return a table with what it is to be compared with."""
    if options.reference:
        other = read_predictions(options.reference, replace(wanted, ids=None, embeddings=()))
        table = replace(table, reference=other)
    if options.again and options.encoder:
        raise UserError("--again and --encoder both encode anew; take one of them")
    if not (options.again or options.encoder):
        return table
    # here, because they load the models' libraries
    from cinelex.doctor.predictions.encode import by_run, by_table

    if options.again:
        anew = replace(wanted, ids=None, embeddings=(), scores=(), texts=(), where=())
        return replace(table, again=by_table(table, read_predictions(options.again, anew)))
    again = by_run(
        table,
        options.encoder,
        videos=_videos(table, options, wanted),
        root=options.video_root or options.manifest.parent,
        rows=options.rows,
        what=None,
    )
    return replace(table, again=again)


def _videos(
    table: Predictions, options: argparse.Namespace, wanted: Wanted
) -> dict[str, list[str]]:
    """Return the paths of each id's videos, in the manifest's order."""
    manifest = read_table(options.manifest, section=COMMAND_LINE, key="--manifest")
    videos = manifest.column(options.video_column or "video_path").to_pylist()
    found: dict[str, list[str]] = defaultdict(list)
    for name, video in zip(manifest.column(table.key).to_pylist(), videos, strict=True):
        if video:
            found[name].append(video)
    return found


def _read(table: Predictions) -> list[str]:
    """Return what was read, in a few lines, so that nobody takes silence for an answer."""
    lines = [f"{len(table.ids)} rows, {len(table.asked)} ids of the manifest by {table.key!r}"]
    lines += [f"embeddings {one.name}: {one.sketch.dim} dimensions" for one in table.vectors]
    lines += [
        f"scores {one.name} against {one.truth_name}: {len(one.truth)} samples"
        for one in table.scores
    ]
    lines += [f"texts {one.name}: {len(one.texts)}" for one in table.texts]
    asked = {
        "re-encoded rows (--encoder or --again)": table.again is not None,
        "people (--patient)": table.patient is not None,
        "subgroups (--subgroup)": bool(table.subgroups),
        "metadata (--metadata)": bool(table.metadata),
        "another table (--reference)": table.reference is not None,
    }
    without = [what for what, there in asked.items() if not there]
    return [*lines, f"not asked, for want of it: {', '.join(without)}"] if without else lines
