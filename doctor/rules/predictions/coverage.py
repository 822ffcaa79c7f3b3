"""N2: are the ids predicted those that were asked for, each once, each with something?"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

WORKERS = range(2, 65)
MIN_MISSING = 8
MAX_HELD = 0.5
"""Share of the residues on which all that is missing lies, if workers that took turns died."""


def _missing(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None:
        return
    missing = np.ones(len(table.asked), bool)
    missing[table.place[table.known]] = False
    if missing.any():
        named = {
            "missing": int(missing.sum()),
            "asked": len(missing),
            "cause": _pattern(missing),
        }
        yield Measured(float(missing.mean()), 0.0, named)


def _pattern(missing: Bool[np.ndarray, " id"]) -> str:
    """Return what the places of missing ids say of how they were lost."""
    count, total = int(missing.sum()), len(missing)
    places = np.flatnonzero(missing)
    if count < MIN_MISSING:
        return "Single files failed and were left out in silence."
    for workers in WORKERS:
        held = np.unique(places % workers)
        enough = count >= 0.95 * len(held) * (total // workers)
        if len(held) <= MAX_HELD * workers and enough:
            return (
                f"They are those of {len(held)} of {workers} workers that took turns: these died, "
                "and what the others wrote was taken for the whole."
            )
    runs = 1 + int((np.diff(places) > 1).sum())
    if runs < 0.5 * count * (1 - count / total):
        return (
            f"They stand in {runs} blocks of the manifest's order: workers or shards died, and "
            "what the others wrote was taken for the whole."
        )
    return "They are spread like chance: single files failed and were left out in silence."


def _foreign(evidence: Evidence) -> Iterator[Measured]:
    if evidence.table is not None and not evidence.table.known.all():
        share = 1 - float(evidence.table.known.mean())
        yield Measured(share, 0.0, {"foreign": int((~evidence.table.known).sum())})


def _twice(evidence: Evidence) -> Iterator[Measured]:
    if evidence.table is None:
        return
    place = evidence.table.place[evidence.table.known]
    again = len(place) - len(np.unique(place))
    if again:
        yield Measured(again / len(place), 0.0, {"again": again})


def _unusable(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None:
        return
    found = {one.name: np.flatnonzero(~one.sketch.sound) for one in table.vectors}
    for name, rows in {**found, **table.unusable}.items():
        if len(rows):
            named = {"column": name, "rows": len(rows), "all": len(table.ids)}
            yield Measured(len(rows) / len(table.ids), 0.0, named)


COUNTED = "each id of the manifest against the ids of the table"
MISSING = Rule(
    id="N2",
    name="ids without a prediction",
    statement="{missing} of {asked} ids that the manifest asks for have no row ({percent:.2f} %).",
    formula=COUNTED,
    null="0: every id once",
    cause="{cause}",
    key="TABLE",
    remedy="predict what is missing; a mean over what is left is a mean over easier samples. Let "
    "the command that predicts end with the code of the first worker that fails.",
    next_measurement="The same command on the completed table.",
    check=_missing,
)
FOREIGN = Rule(
    id="N2",
    name="predictions that nobody asked for",
    severity="warning",
    statement="{foreign} rows are of ids that the manifest, or its split, does not have "
    "({percent:.2f} %).",
    formula=COUNTED,
    null="0",
    cause="The table is of another split or another version of the manifest.",
    key="--split",
    remedy="name the split, or leave these rows out with --where; they are not judged here.",
    next_measurement="The same command on the split that was meant.",
    check=_foreign,
)
TWICE = Rule(
    id="N2",
    name="ids predicted more than once",
    statement="{again} rows repeat an id that an earlier row has ({percent:.2f} %).",
    formula="rows - different ids",
    null="0: every id once; a padded last batch of several workers repeats a few",
    cause="Workers padded their last batch, a resumed job wrote rows again, or the key is that of "
    "a larger thing (a study instead of its videos).",
    key="--key",
    remedy="keep one row an id, and say which; the first is judged here.",
    next_measurement="Whether the rows of one id are equal.",
    check=_twice,
)
UNUSABLE = Rule(
    id="N2",
    name="rows without a value",
    statement="{rows} of {all} rows of {column} are empty, zero or not finite ({percent:.2f} %).",
    formula="rows that are NaN, infinite, all zero or blank / rows",
    null="0",
    cause="What failed was written as a placeholder.",
    key="TABLE",
    remedy="leave out what failed, and count it.",
    next_measurement="Why these failed, from the log of what wrote them.",
    check=_unusable,
)
RULES = (MISSING, FOREIGN, TWICE, UNUSABLE)
