"""Make a synthetic hospital: DICOM files among rubbish, a file of reports, and the truth."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from cinelex.config.nearest import nearest
from cinelex.core.console import say
from cinelex.core.entry import command
from cinelex.core.errors import UserError
from cinelex.data.synthetic.hospital.make import make_hospital
from cinelex.data.synthetic.hospital.settings import HospitalSettings

SHARES: Final = tuple(field.name for field in fields(HospitalSettings) if field.type is float)
"""What can be set as `name=share`."""
VAL_SHARE: Final = 0.1
TEST_SHARE: Final = 0.2


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Make the hospital below a folder, unless it is there, say where its parts are, return 0.

    What cannot be made is said in one line, and the code is 2.
    """
    plan = HospitalSettings().studies
    parser = argparse.ArgumentParser(prog="make_hospital", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for hospitals")
    parser.add_argument("--studies", type=int, default=1000, help="some six files each")
    parser.add_argument("--size", type=int, default=plan.size, help="pixels of a picture")
    parser.add_argument("--frames", type=int, default=plan.frames, help="of a cine")
    parser.add_argument("--seed", type=int, default=plan.seed, help="decides every draw")
    parser.add_argument("share", nargs="*", help=f"name=share, 0 to 1, of: {', '.join(SHARES)}")
    chosen = parser.parse_args(arguments)
    val, test = round(VAL_SHARE * chosen.studies), round(TEST_SHARE * chosen.studies)
    try:
        studies = replace(
            plan, train_studies=chosen.studies - val - test, val_studies=val, test_studies=test,
            size=chosen.size, frames=chosen.frames, seed=chosen.seed,
        )  # fmt: skip
        settings = HospitalSettings(studies=studies, **_read_shares(chosen.share))
    except ValueError as problem:
        raise UserError(str(problem)) from None
    made = make_hospital(settings, chosen.output)
    say(f"files {made / 'export'}, reports {made / 'reports.csv'}, truth {made / 'truth'}")
    return 0


def _read_shares(texts: Sequence[str]) -> dict[str, float]:
    """Return the shares that were set, by name."""
    shares = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in SHARES:
            near = nearest(name, SHARES) or ", ".join(SHARES)
            raise UserError(f"{name}: no such share; did you mean {near}?")
        try:
            shares[name] = float(value)
        except ValueError:
            raise UserError(f"{name}: a share is a number from 0 to 1, found {value!r}") from None
    return shares


if __name__ == "__main__":
    sys.exit(main())
