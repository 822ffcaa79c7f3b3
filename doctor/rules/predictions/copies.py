"""D9 and D12: are the rows of different ids different, and do they span a space?"""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Int

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.table import Predictions
from cinelex.doctor.predictions.vectors import Vectors, row_lengths
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.representation import mean_off_diagonal_cosine, rankme

MAX_COSINE = 0.99
MIN_RANK = 2.0
SAMPLE = 2048
NEARLY = 0.9999
"""Cosine of two sketches from which on rows are taken for one recording."""
MANY = 3
"""Ids with one row from which on it is taken for a placeholder."""


def _copies(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None:
        return
    for vectors in table.vectors:
        sound = vectors.sketch.sound & table.known
        exact, largest = _repeated(table, vectors.sketch.key, sound)
        near = _nearly(table, vectors, sound) & ~exact
        if not (exact.any() or near.any()):
            continue
        rows = int(exact.sum() + near.sum())
        named = {"column": vectors.name, "rows": rows, "exact": int(exact.sum())}
        named |= {"near": int(near.sum()), "largest": largest}
        named |= {"cause": PLACEHOLDER if largest >= MANY else STAND_IN}
        yield Measured(rows / len(table.ids), 0.0, named)


def _repeated(
    table: Predictions, key: np.ndarray, sound: Bool[np.ndarray, " row"]
) -> tuple[Bool[np.ndarray, " row"], int]:
    """Return which rows equal a row of another recording, and how many share the commonest."""
    repeated = np.zeros(len(key), bool)
    rows = np.flatnonzero(sound)
    _, group, count = np.unique(key[rows], return_inverse=True, return_counts=True)
    rows, group = rows[count[group] > 1], group[count[group] > 1]
    if not len(rows):
        return repeated, 0
    owner = _recordings(table)[rows]
    pairs = np.unique(np.stack([group, owner], axis=1), axis=0)
    groups, owners = np.unique(pairs[:, 0], return_counts=True)
    several = groups[owners > 1]
    repeated[rows[np.isin(group, several)]] = True
    return repeated, int(owners.max()) if len(several) else 0


def _recordings(table: Predictions) -> Int[np.ndarray, " row"]:
    """Return equal numbers for rows of one id, or of ids that the manifest calls one recording."""
    for name in ("content_hash", "sha256", "video_hash", "hash", "md5"):
        if name in table.manifest:
            cells = table.of_rows(name).astype(str)
            own = np.where(cells == "", np.asarray(table.ids), cells)
            return np.unique(own, return_inverse=True)[1]
    return table.place


def _nearly(
    table: Predictions, vectors: Vectors, sound: Bool[np.ndarray, " row"]
) -> Bool[np.ndarray, " row"]:
    """Return which rows are all but equal to one of another recording; most such rows are found."""
    sketch = vectors.sketch
    found = np.zeros(len(sound), bool)
    rows = np.flatnonzero(sound & sketch.rows.any(axis=1))
    rows = rows[np.argsort(sketch.signs[rows], kind="stable")]
    one, other = rows[:-1], rows[1:]
    owner = _recordings(table)
    alike = (sketch.signs[one] == sketch.signs[other]) & (owner[one] != owner[other])
    one, other = one[alike], other[alike]
    products = (sketch.rows[one] * sketch.rows[other]).sum(axis=1)
    lengths = row_lengths(sketch.rows)
    close = products > NEARLY * lengths[one] * lengths[other]
    found[one[close]] = found[other[close]] = True
    return found


def _collapsed(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None:
        return
    for vectors in table.vectors:
        rows = np.flatnonzero(vectors.sketch.sound)
        if len(rows) < 2:
            continue
        chosen = np.random.default_rng(0).permutation(rows)[:SAMPLE]
        some = torch.from_numpy(vectors.some(chosen))
        cosine, centred = mean_off_diagonal_cosine(some), some - some.mean(dim=0)
        rank = rankme(centred) if float(centred.norm()) > 0 else 1.0
        if cosine > MAX_COSINE or rank < MIN_RANK:
            named = {"column": vectors.name, "rank": rank, "dim": vectors.sketch.dim}
            named |= {"rows": len(chosen)}
            yield Measured(cosine, MAX_COSINE, named)


PLACEHOLDER = (
    "One row stands under many ids: what failed to decode, or is missing, was filled with it."
)
STAND_IN = (
    "Rows of other recordings stand in for those that failed to decode, or one recording was "
    "entered under several ids."
)
COPIES = Rule(
    id="D9",
    name="rows of other recordings",
    statement="{rows} rows of {column} are those of another recording too ({percent:.2f} %): "
    "{exact} to the bit, {near} nearly; the commonest stands under {largest} ids.",
    formula="rows equal to a row of another id, or with a cosine above 0.9999 to one; ids that the "
    "manifest gives one content_hash are one recording",
    null="0: recordings differ",
    cause="{cause}",
    key="TABLE",
    remedy="leave out what fails, count it, and never put another row in its place.",
    next_measurement="The log of what could not be decoded, beside the ids of these rows.",
    check=_copies,
)
COLLAPSED = Rule(
    id="D12",
    name="rows that all point one way",
    statement="The rows of {column} have a mean cosine of {value:.4f}, and {rank:.1f} effective "
    "dimensions of {dim}.",
    formula="mean cosine of {rows} rows; exp of the entropy of the singular values, centred",
    null="cosine 1 and 1 dimension where all coincide",
    cause="The encoder collapsed, its weights never arrived, or its input is constant.",
    key="TABLE",
    remedy="take the mean off before comparing if the rows merely lie in a cone; else encode anew.",
    next_measurement="The same of the rows of a fresh encoder.",
    check=_collapsed,
)
RULES = (COPIES, COLLAPSED)
