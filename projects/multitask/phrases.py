"""The sentences of training reports by what they claim: the words a caption may choose from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cinelex.data.text.tokenizer import Tokenizer
from cinelex.metrics.facts.claims import (
    Claim,
    claims_of,
    passages,
    plain_sentence,
    with_value,
)
from cinelex.metrics.facts.vocabulary import Vocabulary

MIN_FORMS: Final = 4
"""Sentences of a lesion below which those of other percentages are made to fit."""
MAX_TRIED: Final = 24
"""Sentences of other percentages that are tried, those of the nearest first."""

Claims = frozenset[Claim]


@dataclass(frozen=True)
class Phrase:
    """A sentence that claims exactly this."""

    claims: Claims
    token_ids: tuple[int, ...]


class Phrases:
    """All sentences of the training reports whose claims are exact.

    A report's sentences are cut from it as they stand, so that a caption that strings them together
    is read by the parser as the sum of what they claim.
    """

    def __init__(self, texts: Iterable[str], tokenizer: Tokenizer, words: Vocabulary) -> None:
        """Sort sentences by their claims.

        Args:
            texts: Sentences, each once.
            tokenizer: That of the caption decoder.
            words: What the claims are about.
        """
        self.tokenizer, self.words = tokenizer, words
        self.texts = sorted(texts)
        self._claims = {text: claims for text in self.texts if (claims := claims_of(text, words))}
        self._fixed = [self._phrase(text, claims) for text, claims in self._claims.items()]
        self._lesions: dict[Claim, list[Phrase]] = {}

    @classmethod
    def of(cls, reports: Iterable[str], tokenizer: Tokenizer, words: Vocabulary) -> "Phrases":
        """Cut the reports into sentences."""
        return cls({part for report in reports for part in passages(report)}, tokenizer, words)

    def sayable(self, claims: Claims) -> list[Phrase]:
        """Return every sentence that claims something, and nothing but what is among these."""
        found = [phrase for phrase in self._fixed if phrase.claims <= claims]
        for claim in claims:
            found += self._made(claim)
        return found

    def _made(self, claim: Claim) -> list[Phrase]:
        """Return sentences for a lesion that few reports word with its percentage."""
        if claim not in self._lesions:
            self._lesions[claim] = [
                self._phrase(text, frozenset([claim])) for text in self._fitted(claim)
            ]
        return self._lesions[claim]

    def _fitted(self, claim: Claim) -> Sequence[str]:
        attribute, place, value = claim
        alone = {text: next(iter(c)) for text, c in self._claims.items() if len(c) == 1}
        enough = sum(own == claim for own in alone.values()) >= MIN_FORMS
        if not value or enough:
            return []
        near = sorted(
            (abs(own[2] - value), text)
            for text, own in alone.items()
            if own[:2] == (attribute, place) and own[2] not in (0.0, value)
        )
        made = [with_value(text, alone[text], value, self.words) for _, text in near[:MAX_TRIED]]
        found = [text for text in dict.fromkeys(made) if text is not None]
        plain = plain_sentence(claim) if self.words.places else None
        return found or ([plain] if plain and claim not in alone.values() else [])

    def _phrase(self, text: str, claims: Claims) -> Phrase:
        marks = (self.tokenizer.bos_id, self.tokenizer.eos_id, self.tokenizer.pad_id)
        ids = tuple(token for token in self.tokenizer.encode(text) if token not in marks)
        return Phrase(claims, ids)
