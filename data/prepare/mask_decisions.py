"""What a person decided about masks: ``decisions.csv``."""

import csv
from pathlib import Path
from typing import Final

from cinelex.core.errors import UserError

HEADER: Final = ["cine", "decision"]
DECISIONS: Final = ("approve", "reject")


def read_decisions(path: Path) -> dict[str, str]:
    """Return the decision about each cine, by its key; none where there is no such file.

    Of two lines about one cine the later counts.

    Raises:
        UserError: A line is not "cine,decision"; names its number.
    """
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"decisions.csv cannot be read ({type(error).__name__}); download it from review.html"
        ) from None
    if not rows or rows[0] != HEADER:
        raise UserError(f"decisions.csv: line 1 must be {','.join(HEADER)}")
    decisions = {}
    for number, row in enumerate(rows[1:], start=2):
        if not row:
            continue
        if len(row) != 2 or row[1] not in DECISIONS or not row[0].isalnum():
            raise UserError(f"decisions.csv: line {number} is not <cine>,approve or <cine>,reject")
        decisions[row[0]] = row[1]
    return decisions
