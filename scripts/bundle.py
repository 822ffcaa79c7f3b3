"""From a trained run to one hashed folder that another site evaluates on its own studies."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from cinelex.config.load import load_options
from cinelex.config.prepare_schema import PrepareConfig
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.core.folders import new_folder
from cinelex.scripts.export import export
from cinelex.trained.exported import seal

PROTOCOL = "protocol.json"
FORMAT = 1


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = CommandLine(prog=prog("cinelex bundle"), description=__doc__)
    options.add_argument("run", type=Path, help="folder of a trained run, such as runs/multitask")
    options.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    options.add_argument(
        "options",
        nargs="*",
        metavar="key.path=value",
        help="how the other site's DICOM files are prepared; see config/prepare_schema.py",
    )
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_intermixed_args(arguments)
    prepare = load_options(PrepareConfig, options.options)
    if prepare.reports.headings is not None:
        raise UserError("reports.headings: a file of this machine does not travel; leave it out")
    kept = json.loads(prepare.model_dump_json(exclude={"workers"}))
    with new_folder(options.out, "--out") as out:
        export(options.run, out, {"torch"})
        write_json(out / PROTOCOL, {"format": FORMAT, "prepare": kept})
        sealed = seal(out)
    say(f"bundle: {options.out}, hash {sealed}")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
