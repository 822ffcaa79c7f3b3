"""N1: does each row lie under its own id?"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Int

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.predictions.table import Again, Predictions
from cinelex.doctor.predictions.vectors import Vectors
from cinelex.doctor.rules.predictions.links import links_of, score_links, text_links
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.row_order import MAX_PAIRS, SIGNIFICANT, Better, Link, agreement, better_orders

INSIGNIFICANT = 3.0
"""Deviations of the null below which nothing is taken for agreement."""
MIN_PAIRS = 200
SAME = 1e-3
"""1 - cosine of two encodings of one sample, in reduced precision and other batches."""


@lru_cache(maxsize=2)
def _links(table: Predictions) -> dict[str, list[Link]]:
    found = {vectors.name: links_of(table, vectors) for vectors in table.vectors}
    found |= {scored.name: score_links(table, scored) for scored in table.scores}
    return found | {told.name: text_links(table, told) for told in table.texts}


@lru_cache(maxsize=2)
def _orders(table: Predictions) -> dict[str, Better]:
    keys = {"their order in the manifest": np.where(table.known, table.place, len(table.asked))}
    keys |= {f"column {name}": table.of_rows(name).astype(str) for name in table.same}
    links = {name: some for name, some in _links(table).items() if some}
    return better_orders(links, table.ids, keys) if links else {}


def _another_order(evidence: Evidence) -> Iterator[Measured]:
    for name, better in (_orders(evidence.table) if evidence.table else {}).items():
        named = {
            "column": name,
            "order": better.order,
            "link": better.link,
            "own": better.own.mean,
            "other": better.other.mean,
            "z": better.other.z,
            "pairs": better.pairs,
            "tried": better.tried,
        }
        yield Measured(better.own.z, better.other.z, named)


def _no_order(evidence: Evidence) -> Iterator[Measured]:
    """Ask whether what should be alike is, where no likely order explains why not."""
    table = evidence.table
    if table is None:
        return
    for vectors in table.vectors:
        links = [one for one in _links(table)[vectors.name] if len(one.left) >= MIN_PAIRS]
        found = {link.name: agreement(link) for link in links}
        if vectors.name in _orders(table) or not found:
            continue
        name = max(found, key=lambda link: found[link].z)
        # labels and reports may say nothing of an embedding; recordings of one person do
        if found[name].z < INSIGNIFICANT and any(link.name in table.same for link in links):
            serial = agreement(_neighbours(vectors))
            cause = SERIAL if serial.z > SIGNIFICANT else NOTHING
            named = {"column": vectors.name, "link": name, "mean": found[name].mean}
            named |= {"cause": cause.format(z=serial.z)}
            yield Measured(found[name].z, SIGNIFICANT, named)


def _neighbours(vectors: Vectors) -> Link:
    rows = np.random.default_rng(0).permutation(len(vectors.kept) - 1)[:MAX_PAIRS]
    return Link("neighbours in the file", vectors.sketch.rows, rows, rows + 1)


def _encoded_anew(evidence: Evidence) -> Iterator[Measured]:
    table = evidence.table
    if table is None or table.again is None:
        return
    vectors = next(one for one in table.vectors if one.name == table.again.what)
    stored = _unit(vectors.some(table.again.rows))
    cosines = {how: (stored * _unit(rows)).sum(axis=1) for how, rows in table.again.vectors.items()}
    wrong = np.flatnonzero(1 - cosines[""] > SAME)
    if len(wrong):
        named = {"column": vectors.name, "wrong": len(wrong), "rows": len(stored)}
        named |= {"cause": _why(table, table.again, vectors, wrong, cosines)}
        named |= {"cosine": float(np.median(cosines[""][wrong]))}
        yield Measured(len(wrong) / len(stored), 0.0, named)


def _why(
    table: Predictions,
    again: Again,
    vectors: Vectors,
    wrong: Int[np.ndarray, " wrong"],
    cosines: dict[str, np.ndarray],
) -> str:
    treated = {how: int((1 - cosines[how][wrong] <= SAME).sum()) for how in cosines if how}
    how = max(treated, key=lambda one: treated[one], default="")
    if how and treated[how] >= 0.5 * len(wrong):
        return f"{treated[how]} of them are what the encoder gives for pixels {how}."
    elsewhere = _elsewhere(vectors, _unit(again.vectors[""][wrong]), again.rows[wrong])
    if len(elsewhere):
        steps, counts = np.unique(elsewhere, return_counts=True)
        far = f", {counts.max()} of them {steps[counts.argmax()]:+d} rows away"
        far = far if counts.max() > 1 else ""
        return f"{len(elsewhere)} of them lie under another id{far}: rows and ids are out of step."
    return (
        "They lie under no other id: they were made of other pixels, by other weights, or with "
        "other settings."
    )


def _elsewhere(
    vectors: Vectors, wanted: np.ndarray, rows: Int[np.ndarray, " wrong"]
) -> Int[np.ndarray, " found"]:
    """Return how far from its id each row lies that lies under another one."""
    best, place, first = np.full(len(wanted), -1.0), np.zeros(len(wanted), np.int64), 0
    for block in vectors.blocks():
        cosines = wanted @ _unit(block).T
        nearest = cosines.argmax(axis=1)
        value = cosines[np.arange(len(wanted)), nearest]
        place = np.where(value > best, first + nearest, place)
        best, first = np.maximum(best, value), first + len(block)
    found = (1 - best <= SAME) & (place != rows)
    return np.asarray((place - rows)[found])


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.nan_to_num(rows, posinf=0.0, neginf=0.0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30))


SERIAL = (
    "Rows that are neighbours in the file are alike (z {z:.1f}), those whose ids belong together "
    "are not: the rows have an order, and it is not that of the ids."
)
NOTHING = (
    "Rows and ids are in different orders, or the encoder knows nothing of what it was shown; "
    "neighbours in the file are not alike either (z {z:.1f})."
)
FORMULA = (
    "mean inner product of the pairs / its deviation for pairs drawn at random, tr(A B) / pairs "
    "with the covariances of both sides"
)
ANOTHER_ORDER = Rule(
    id="N1",
    name="rows in another order than their ids",
    statement="The rows of {column} agree with {link} in another order than that of their ids: "
    "{order} (agreement {other:.3f}, z {z:.1f}; under the given ids {own:.3f}, z {value:.1f}).",
    formula=FORMULA + "; {pairs} pairs, {tried} orders tried",
    null="z within 3 for an order that has nothing to do with the rows, of which the best of 300 "
    "stays below 5",
    cause="Ids and rows were collected apart, and one of the two was sorted, sharded or shuffled.",
    key="TABLE",
    remedy="write ids and rows into one table, together, a batch at a time; then encode anew: an "
    "order that was guessed is no proof.",
    next_measurement="A few rows encoded anew (--encoder RUN or --again FILE).",
    check=_another_order,
)
NO_ORDER = Rule(
    id="N1",
    name="rows that agree with no id",
    statement="Rows of {column} that share {link} are no more alike than any two: agreement "
    "{mean:.4f}, z {value:.1f}.",
    formula=FORMULA,
    null="z within 3 for shuffled ids",
    cause="{cause}",
    key="TABLE",
    remedy="write ids and rows into one table, together, a batch at a time, and encode anew.",
    next_measurement="A few rows encoded anew (--encoder RUN or --again FILE).",
    check=_no_order,
)
ENCODED_ANEW = Rule(
    id="N1",
    name="rows that are not what their ids give",
    statement="{wrong} of {rows} rows of {column}, encoded anew, differ (median cosine "
    "{cosine:.3f}).",
    formula="1 - cosine of the row and of the same id encoded anew, above 0.001",
    null="0 to rounding",
    cause="{cause}",
    key="TABLE",
    remedy="encode the whole table again, with ids and rows written together.",
    next_measurement="The same command on the new table.",
    check=_encoded_anew,
)
RULES = (ANOTHER_ORDER, NO_ORDER, ENCODED_ANEW)
