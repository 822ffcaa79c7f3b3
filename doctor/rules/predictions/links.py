"""What of a table belongs together, by its manifest."""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from cinelex.core.scripts import words
from cinelex.doctor.predictions.table import Predictions, Scored, Told
from cinelex.doctor.predictions.vectors import Vectors
from cinelex.metrics.row_order import Link, pairs_within

MIN_PAIRS = 30
MAX_LABELS = 50
WORD_DIM = 256
QUERIES, GALLERY = 2_000, 20_000


def links_of(table: Predictions, vectors: Vectors) -> list[Link]:
    """Return what of a matrix belongs together: people, studies, labels, reports that are alike."""
    rows = vectors.sketch.rows
    sound = vectors.sketch.sound & table.known
    columns = dict.fromkeys((*table.same, *table.subgroups))
    labels = {scored.truth_name: scored for scored in table.scores}
    found = [
        _of_column(table, name, rows, sound)
        for name in (*columns, *labels)
        if name in table.manifest
    ]
    if table.report is not None:
        found.append(_alike_reports(table, rows, sound))
    return [link for link in found if len(link.left) >= MIN_PAIRS]


def score_links(table: Predictions, scored: Scored) -> list[Link]:
    """Return the one link of a number that was predicted: with its truth."""
    predicted, truth = np.zeros(len(table.ids)), np.zeros(len(table.ids))
    predicted[scored.row] = _standard(scored.predicted)
    truth[scored.row] = _standard(scored.truth)
    if len(scored.row) < MIN_PAIRS:
        return []
    name = f"the column {scored.truth_name}"
    return [Link(name, predicted[:, None], scored.row, scored.row, truth[:, None])]


def text_links(table: Predictions, told: Told) -> list[Link]:
    """Return the one link of a text: with its reference."""
    if len(told.row) < MIN_PAIRS:
        return []
    weights = word_weights(told.references)
    both = []
    for texts in (told.texts, told.references):
        rows = np.zeros((len(table.ids), WORD_DIM), np.float32)
        rows[told.row] = word_rows(texts, weights)
        both.append(rows)
    return [Link("the references", both[0], told.row, told.row, both[1])]


def _of_column(
    table: Predictions, name: str, rows: Float[np.ndarray, "row dim"], sound: np.ndarray
) -> Link:
    left, right = _pairs_of(table, name)
    kept = sound[left] & sound[right]
    return Link(name, rows, left[kept], right[kept])


@lru_cache(maxsize=64)
def _pairs_of(table: Predictions, name: str) -> tuple[np.ndarray, np.ndarray]:
    cells = table.manifest[name].astype(str)
    values, group = np.unique(cells, return_inverse=True)
    # a label with a value an id says nothing; one number a person does, by its pairs
    few = name in table.same or len(values) <= MAX_LABELS
    group = np.where((cells != "") & few, group, -1)
    return pairs_within(np.where(table.known, group[np.maximum(table.place, 0)], -1))


def _alike_reports(
    table: Predictions, rows: Float[np.ndarray, "row dim"], sound: np.ndarray
) -> Link:
    """Return pairs of rows whose reports are nearest to one another, of different ids."""
    assert table.report is not None
    reports = table.of_rows(table.report)
    there = np.flatnonzero(sound & (reports != ""))
    random = np.random.default_rng(0)
    gallery = random.permutation(there)[:GALLERY]
    texts = [str(text) for text in reports[gallery]]
    if len(gallery) < MIN_PAIRS:
        empty = np.zeros(0, np.int64)
        return Link("nearest reports", rows, empty, empty)
    vectors = word_rows(texts, word_weights(texts))
    cosines = vectors[:QUERIES] @ vectors.T
    own = table.place[gallery]
    cosines[own[: len(cosines), None] == own] = -np.inf
    return Link("nearest reports", rows, gallery[: len(cosines)], gallery[cosines.argmax(axis=1)])


def word_weights(texts: Sequence[str]) -> Float[np.ndarray, " bucket"]:
    """Return the weight of each bucket of words: rare ones count more."""
    there = np.zeros(WORD_DIM)
    for text in texts:
        there[np.unique(_buckets(text))] += 1
    return np.asarray(np.log((1 + len(texts)) / (1 + there)))


def word_rows(
    texts: Sequence[str], weights: Float[np.ndarray, " bucket"]
) -> Float[np.ndarray, "text bucket"]:
    """Return the words of each text in a few hundred buckets, weighted, centred, of unit length."""
    rows = np.zeros((len(texts), WORD_DIM), np.float32)
    for row, text in zip(rows, texts, strict=True):
        np.add.at(row, _buckets(text), 1.0)
    rows = np.sqrt(rows) * weights.astype(np.float32)
    rows -= rows.mean(axis=0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _buckets(text: str) -> Int[np.ndarray, " word"]:
    return np.array([zlib.crc32(word.encode()) % WORD_DIM for word in words(text)], np.int64)


def _standard(values: Float[np.ndarray, " item"]) -> Float[np.ndarray, " item"]:
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-12))
