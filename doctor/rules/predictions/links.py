"""What of a table belongs together, by its manifest."""

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from cinelex.core.scripts import words
from cinelex.doctor.predictions.table import Predictions, Scored, Told
from cinelex.doctor.predictions.vectors import Vectors
from cinelex.metrics.row_order import MAX_PAIRS, Link, pairs_within

MIN_PAIRS = 30
MAX_LABELS = 50
TEXTS_AT_ONCE = 65_536
WORD_DIM, LINK_DIM = 256, 64
"""Buckets of words: to find the nearest of some texts, and to see whether all lie in order."""
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
    some = _some(scored.row)
    return [Link(name, predicted[:, None], some, some, truth[:, None])]


def text_links(table: Predictions, told: Told) -> list[Link]:
    """Return the one link of a text: with its reference."""
    if len(told.row) < MIN_PAIRS:
        return []
    some = _some(np.arange(len(told.row)))
    meant = Words(told.references, LINK_DIM)
    weights = meant.weights()
    # of the references those of the pairs are enough; of the texts any may be another's
    second = meant.rows(weights)[some]
    del meant
    first = Words(told.texts, LINK_DIM).rows(weights)
    if len(first) < len(table.ids):
        first, said = np.zeros((len(table.ids), LINK_DIM), np.float32), first
        first[told.row] = said
    return [Link("the references", first, told.row[some], np.arange(len(some)), second)]


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
    said = Words(texts, WORD_DIM)
    vectors = said.rows(said.weights())
    cosines = vectors[:QUERIES] @ vectors.T
    own = table.place[gallery]
    cosines[own[: len(cosines), None] == own] = -np.inf
    return Link("nearest reports", rows, gallery[: len(cosines)], gallery[cosines.argmax(axis=1)])


class Words:
    """How often the words of texts fall into each of a few buckets."""

    def __init__(self, texts: Sequence[str], dim: int) -> None:
        """Count the words of some thousands of texts at once."""
        self.counts = np.zeros((len(texts), dim), np.float32)
        self._buckets: dict[str, list[int]] = {}
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            self._count(texts[start : start + TEXTS_AT_ONCE], self.counts[start:])

    def _count(self, texts: Sequence[str], counts: Float[np.ndarray, "text bucket"]) -> None:
        """Cut texts at blanks, and read each different piece once."""
        import pyarrow as pa  # here, because it takes half a second
        import pyarrow.compute as pc

        pieces = pc.split_pattern_regex(pa.array(texts, pa.large_string()), r"\s+")
        coded = pieces.flatten().dictionary_encode()
        found = [self._of(piece) for piece in coded.dictionary.to_pylist()]
        said = coded.indices.to_numpy(zero_copy_only=False)
        text = np.repeat(np.arange(len(texts)), pieces.value_lengths().to_numpy())
        longest = max(map(len, found), default=0)
        # most pieces are one word: the first words of all, then the second of those that have two
        for place in range(longest):
            bucket = np.array([own[place] if place < len(own) else -1 for own in found])[said]
            there = bucket >= 0
            np.add.at(counts, (text[there], bucket[there]), np.float32(1))

    def _of(self, piece: str) -> list[int]:
        if piece not in self._buckets:
            dim = self.counts.shape[1]
            self._buckets[piece] = [zlib.crc32(word.encode()) % dim for word in words(piece)]
        return self._buckets[piece]

    def weights(self) -> Float[np.ndarray, " bucket"]:
        """Return the weight of each bucket: rare ones count more."""
        there = np.count_nonzero(self.counts, axis=0)
        return np.asarray(np.log((1 + len(self.counts)) / (1 + there)))

    def rows(self, weights: Float[np.ndarray, " bucket"]) -> Float[np.ndarray, "text bucket"]:
        """Return a row a text: its words, weighted, centred, of unit length."""
        rows = np.sqrt(self.counts)
        rows *= weights.astype(np.float32)
        rows -= rows.mean(axis=0, dtype=np.float64).astype(np.float32)
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows


def _some(rows: Int[np.ndarray, " item"]) -> Int[np.ndarray, " pair"]:
    """Return as many rows as an agreement needs, in no order."""
    return np.random.default_rng(0).permutation(rows)[:MAX_PAIRS]


def _standard(values: Float[np.ndarray, " item"]) -> Float[np.ndarray, " item"]:
    if not len(values):
        return values
    return np.asarray((values - values.mean()) / max(float(values.std()), 1e-12))
