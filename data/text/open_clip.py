"""The tokenizer of CLIP, which comes with open_clip and needs no network."""

from collections.abc import Sequence
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.data.text.tokenizer import SETTINGS, normalise

CONTEXT = 77
"""Tokens that CLIP's text towers read, bos and eos among them."""


class OpenClipTokenizer:
    """CLIP's lower-cased byte pairs; padded with 0, which also is the exclamation mark."""

    def __init__(self, *, max_tokens: int = CONTEXT) -> None:
        """Load the vocabulary.

        Raises:
            UserError: Captions would be longer than any tower of CLIP reads.
        """
        from open_clip.tokenizer import SimpleTokenizer  # here, because it takes seconds

        if max_tokens > CONTEXT:
            raise UserError(f"tokenizer.max_tokens: CLIP reads {CONTEXT} tokens, got {max_tokens}")
        self._engine = SimpleTokenizer()
        self.max_tokens = max_tokens
        self.vocab_size: int = self._engine.vocab_size
        self.pad_id = 0
        self.bos_id: int = self._engine.sot_token_id
        self.eos_id: int = self._engine.eot_token_id

    def encode(self, text: str) -> list[int]:
        """Return bos, the caption's tokens, eos; the caption is cut to fit ``max_tokens``."""
        return [self.bos_id, *self._ids(text)[: self.max_tokens - 2], self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens up to the first eos, without special tokens."""
        token_ids = [int(token) for token in ids]
        if self.eos_id in token_ids:
            token_ids = token_ids[: token_ids.index(self.eos_id)]
        return str(
            self._engine.decode([token for token in token_ids if token != self.bos_id])
        ).strip()

    def length(self, text: str) -> int:
        """Return how many tokens the caption has, bos and eos among them, before it is cut."""
        return len(self._ids(text)) + 2

    def save(self, folder: Path) -> None:
        """Write what ``load_tokenizer`` needs."""
        write_json(folder / SETTINGS, {"kind": "open_clip", "max_tokens": self.max_tokens})

    @classmethod
    def load(cls, _folder: Path, *, max_tokens: int) -> "OpenClipTokenizer":
        """Return what ``save`` wrote."""
        return cls(max_tokens=max_tokens)

    def _ids(self, text: str) -> list[int]:
        return [int(token) for token in self._engine.encode(normalise(text))]
