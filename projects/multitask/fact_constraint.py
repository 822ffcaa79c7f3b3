"""Constrained decoding: captions are held to sentences that claim only what the heads found."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from cinelex.metrics.facts.claims import Claim
from cinelex.projects.multitask.phrases import Claims, Phrase, Phrases


@dataclass(frozen=True)
class CaptionClaims:
    """What the caption of one study must state and may state."""

    must: Claims
    """Stated before the caption ends, if any sentence can state it."""
    may: Claims = frozenset()
    """Also true; the decoder chooses whether to state it."""


class FactConstraint:
    """Holds a decoder to sentences that make only the claims that are given.

    Which sentences, and in which order, is the decoder's choice.

    Source: De Cao et al. 2021, arXiv:2010.00904, section 3.2 (decoding constrained by what is
    allowed to follow a prefix).
    """

    def __init__(
        self, claims: Sequence[CaptionClaims], phrases: Phrases, *, device: torch.device
    ) -> None:
        """Begin all captions.

        Args:
            claims: What each study's caption is to state.
            phrases: The sentences that can state it.
            device: Where the decoder is.
        """
        self._captions = [_Caption(one, phrases) for one in claims]
        self._vocab, self._device = phrases.tokenizer.vocab_size, device

    def allowed(self) -> Bool[Tensor, "study vocab"]:
        """Return which tokens may follow."""
        allowed = torch.zeros(len(self._captions), self._vocab, dtype=torch.bool)
        for row, caption in enumerate(self._captions):
            allowed[row, list(caption.next_tokens())] = True
        return allowed.to(self._device)

    def advance(self, token_ids: Int[Tensor, " study"]) -> None:
        """Go on with the token that each caption got."""
        for caption, token in zip(self._captions, token_ids.tolist(), strict=True):
            caption.take(token)


class _Caption:
    """One caption that is being written."""

    def __init__(self, claims: CaptionClaims, phrases: Phrases) -> None:
        self.must, self.may, self.phrases = set(claims.must), set(claims.may), phrases
        self.written, self.ended = 0, False
        self.open: list[Phrase] = []
        self.within_reach: set[Claim] = set()
        self._begin_sentence()

    def next_tokens(self) -> set[int]:
        """Return what may follow: a token of a sentence that can still be finished, or the end."""
        if self.ended:
            return {self.phrases.tokenizer.pad_id}
        tokens = {phrase.token_ids[self.written] for phrase in self.open}
        between = self.written == 0
        if between and not (self.must & self.within_reach):
            tokens.add(self.phrases.tokenizer.eos_id)
        return tokens

    def take(self, token: int) -> None:
        """Keep the sentences that go on like this; strike what a finished one has claimed."""
        if token in (self.phrases.tokenizer.eos_id, self.phrases.tokenizer.pad_id):
            self.ended = True
            return
        self.open = [p for p in self.open if p.token_ids[self.written] == token]
        self.written += 1
        done = next((p for p in self.open if len(p.token_ids) == self.written), None)
        if done is not None:
            self.must -= done.claims
            self.may -= done.claims
        if done is not None or not self.open:
            self._begin_sentence()

    def _begin_sentence(self) -> None:
        self.written = 0
        self.open = self.phrases.sayable(frozenset(self.must | self.may))
        self.within_reach = {claim for phrase in self.open for claim in phrase.claims}
