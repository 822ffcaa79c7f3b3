"""A question to a library, and what answers it: studies, scores beside their nulls, and why."""

import json
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float32, Int64

from cinelex.core.errors import UserError
from cinelex.library.bm25 import WordRanks, tokens_of
from cinelex.library.catalog import Case
from cinelex.library.fusion import DEPTH, fused
from cinelex.library.library import Library
from cinelex.library.nulls import Kind, load_nulls, text_rows
from cinelex.library.vectors import Near, Rows
from cinelex.metrics.facts.claims import sentences

MAX_P: Final = 0.05
"""Above it chance finds as good a study too often for this one to be called relevant."""
MAX_UNKNOWN: Final = 0.5
"""Share of a question's words that no report holds, from which on no answer is called relevant."""
LITTLE: Final = frozenset(
    ["a", "an", "and", "are", "as", "at", "by", "for", "in", "is", "no", "not", "of", "on", "or"]
    + ["the", "there", "to", "with"]
)
MAX_KEPT_TEXTS: Final = 20_000
MAX_KEPT_FILTERS: Final = 200
MAX_EXPLAINED_WORDS: Final = 32
UNLIKE: Final = 0.5
"""Weight of what is not wanted beside what is; Rocchio 1971, as Manning et al. 2008, 9.1.1."""
Vector = Float32[np.ndarray, " dim"]
Order = Literal["meaning", "both"]
"""By cosine, or by that and the words of the question together."""


@dataclass(frozen=True)
class Question:
    """What somebody looks for."""

    kind: Kind
    vector: Vector
    text: str = ""
    likes: Sequence[int] = ()
    """Rows that more are wanted of."""
    unlikes: Sequence[int] = ()
    without: int | None = None
    """The row that was taken for the question; it is no answer."""


@dataclass(frozen=True)
class Answer:
    """The nearest studies."""

    near: Near
    p_pairs: list[float]
    """For each: the share of random pairs that score as high."""
    p_best: float
    """The share of shuffled cines whose best study scores as high as the best here, or of random
    pairs where the question is a text; of the whole library, whatever is filtered."""
    median: float
    """What half of the studies score at least."""
    high: float
    """What one study in twenty scores at least."""
    matching: int
    """Studies that pass the filters."""
    unknown_words: list[str]
    """Words of the question that no report holds."""
    words: int
    """Words of the question, little ones left out."""

    @property
    def strange(self) -> bool:
        """Return whether the reports hold too few of the words for the model to know them."""
        return bool(self.words) and len(self.unknown_words) >= MAX_UNKNOWN * self.words

    @property
    def relevant(self) -> bool:
        """Return whether the best score is beyond what chance reaches, and the words are known."""
        return self.p_best <= MAX_P and not self.strange


class Searcher:
    """Answers questions, from any thread."""

    def __init__(self, library: Library) -> None:
        """Open what scores stand beside."""
        self.library = library
        self.nulls = load_nulls(library.folder)
        self.columns = library.catalog.columns()
        """What can be filtered by."""
        self._current = library.catalog.current()
        self.studies = len(self._current)
        """How many can be found."""
        self._by_words = WordRanks(library.catalog.reports())
        self._lock = threading.Lock()
        self._texts: dict[str, Vector] = {}
        self._passing: dict[str, Int64[np.ndarray, " row"]] = {}

    def of_text(self, text: str) -> Question:
        """Return the question that a text asks."""
        return Question("text", self._rows([text])[0], text)

    def of_study(self, row: int) -> Question:
        """Return the question for studies like one of the library."""
        return Question("videos", self.library.vectors.all[row].copy(), without=row)

    def answer(
        self,
        question: Question,
        *,
        count: int,
        words: str = "",
        filters: Mapping[str, Any],
        order: Order = "meaning",
    ) -> Answer:
        """Return the nearest studies that pass all filters.

        Args:
            question: What is looked for.
            count: Studies at most.
            words: That the reports must hold; see ``Catalog.rows_saying``.
            filters: By column, the values that it may have, or a lowest and a highest number.
            order: What comes first; a question that is no text has no words to go by.

        Raises:
            UserError: There is no such column.
        """
        vectors, asked = self.library.vectors, self.refined(question)
        every, allowed = self._current, self._allowed(words, filters)
        if question.without is not None:
            every, allowed = (rows[rows != question.without] for rows in (every, allowed))
        said = words_of(question.text)
        both = order == "both" and bool(question.text)
        if both:
            near = self._by_both(asked, question.text, min(count, len(allowed)), allowed)
        else:
            near = vectors.nearest(asked, min(count, len(allowed)), allowed)
        first_of_all = not both and len(allowed) == len(every)
        best = near.scores if first_of_all else vectors.nearest(asked, 1, every).scores
        null, random = self.nulls[question.kind], vectors.random @ asked
        return Answer(
            near,
            [null.p_pair(score) for score in near.scores],
            null.p_best(float(best[0])) if len(best) else 1.0,
            float(np.median(random)),
            float(np.quantile(random, 0.95)),
            len(allowed),
            self.library.catalog.unknown_words(said),
            len(said),
        )

    def _by_both(
        self, asked: Vector, text: str, count: int, allowed: Int64[np.ndarray, " row"]
    ) -> Near:
        """Return the rows that stand high by cosine, by words, or by both; scores are cosines."""
        vectors = self.library.vectors
        by_meaning = vectors.nearest(asked, min(DEPTH, len(allowed)), allowed).rows
        said = [word for word in dict.fromkeys(tokens_of(text)) if word not in LITTLE]
        rows = fused([by_meaning, self._by_words.best(said, allowed, DEPTH)])[:count]
        return Near(rows, vectors.all[rows] @ asked)

    def refined(self, question: Question) -> Vector:
        """Return the question's vector, moved towards what is liked and away from what is not."""
        rows, moved = self.library.vectors.all, question.vector
        if question.likes:
            moved = moved + rows[list(question.likes)].mean(0)
        if question.unlikes:
            moved = moved - UNLIKE * rows[list(question.unlikes)].mean(0)
        return moved / max(float(np.linalg.norm(moved)), 1e-6)

    def why(self, question: Question, case: Case) -> dict[str, Any]:
        """Return which sentence of a report, which view and which words carried a score.

        A view is scored as if it were the whole study. A word counts for as much as the score
        falls without it: a word of the question where that is a text, else one of the sentence.
        """
        asked, library = self.refined(question), self.library
        numbers = [video.number for video in case.videos]
        views = library.vectors.videos[numbers] @ asked
        parts = sentences(case.report)
        marked = int((self._rows(parts) @ asked).argmax()) if parts else None
        text, against = question.text, library.vectors.all[case.row]
        if not text and marked is not None:
            text, against = parts[marked], asked
        return {
            "row": case.row,
            "sentences": parts,
            "marked": marked,
            "views": {str(n): float(score) for n, score in zip(numbers, views, strict=True)},
            "words": self._words(text, against),
        }

    def _words(self, text: str, against: Vector) -> list[tuple[str, float]]:
        words = text.split()[:MAX_EXPLAINED_WORDS]
        if len(words) < 2:
            return [(word, 0.0) for word in words]
        without = [" ".join(words[:n] + words[n + 1 :]) for n in range(len(words))]
        whole, *lacking = (self._rows([" ".join(words), *without]) @ against).tolist()
        return [(word, whole - score) for word, score in zip(words, lacking, strict=True)]

    def _allowed(self, words: str, filters: Mapping[str, Any]) -> Int64[np.ndarray, " row"]:
        """Return the rows that pass; what passed before is kept."""
        key = json.dumps([words, filters], sort_keys=True)
        if key not in self._passing:
            if len(self._passing) >= MAX_KEPT_FILTERS:
                self._passing.clear()
            self._passing[key] = self._passed(words, filters)
        return self._passing[key]

    def _passed(self, words: str, filters: Mapping[str, Any]) -> Int64[np.ndarray, " row"]:
        catalog, rows = self.library.catalog, self._current
        for name, wanted in filters.items():
            if name not in self.columns:
                raise UserError(
                    f"no column {name!r} to filter by; there are {', '.join(self.columns)}"
                )
            passing = (
                catalog.rows_with(name, wanted)
                if isinstance(wanted, list)
                else catalog.rows_between(name, wanted["low"], wanted["high"])
            )
            rows = np.intersect1d(rows, passing, assume_unique=True)
        if words.strip():
            rows = np.intersect1d(rows, catalog.rows_saying(words), assume_unique=True)
        return rows

    def _rows(self, texts: Sequence[str]) -> Rows:
        """Return the vectors of texts; those that were asked for before are kept."""
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._texts]
            if len(self._texts) + len(new) > MAX_KEPT_TEXTS:
                self._texts.clear()
                new = list(dict.fromkeys(texts))
            if new:
                rows = text_rows(self.library.run, new)
                self._texts |= dict(zip(new, rows, strict=True))
            return np.stack([self._texts[text] for text in texts])


def words_of(text: str) -> list[str]:
    """Return the words of a text, each once, without numbers, signs and little words."""
    words = [word for word in dict.fromkeys(tokens_of(text)) if word not in LITTLE]
    return [word for word in words if re.fullmatch(r"[^\W\d_]{2,}", word)][:MAX_EXPLAINED_WORDS]
