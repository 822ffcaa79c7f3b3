"""The tokenizer of CLIP, which comes with open_clip and needs no network."""

from collections.abc import Sequence
from pathlib import Path

from open_clip.tokenizer import SimpleTokenizer

from cinelex.core.errors import UserError
from cinelex.core.files import write_json
from cinelex.data.text.tokenizer import SETTINGS, normalise

CONTEXT = 77
"""Words that CLIP's text towers read, the marks of beginning and end among them."""


class OpenClipTokenizer:
    """CLIP's lower-cased byte pairs; padded with 0, which also is the exclamation mark."""

    def __init__(self, *, max_tokens: int = CONTEXT) -> None:
        """Load the vocabulary.

        Raises:
            UserError: Captions would be longer than any tower of CLIP reads.
        """
        if max_tokens > CONTEXT:
            raise UserError(f"tokenizer.max_tokens: CLIP reads {CONTEXT} words, got {max_tokens}")
        self._words = SimpleTokenizer()
        self.max_tokens = max_tokens
        self.vocab_size: int = self._words.vocab_size
        self.pad_id = 0
        self.bos_id: int = self._words.sot_token_id
        self.eos_id: int = self._words.eot_token_id

    def encode(self, text: str) -> list[int]:
        """Return bos, the caption's tokens, eos; the caption is cut to fit ``max_tokens``."""
        return [self.bos_id, *self._ids(text)[: self.max_tokens - 2], self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens up to the first eos, without special tokens."""
        token_ids = [int(word) for word in ids]
        if self.eos_id in token_ids:
            token_ids = token_ids[: token_ids.index(self.eos_id)]
        return str(self._words.decode([word for word in token_ids if word != self.bos_id])).strip()

    def length(self, text: str) -> int:
        """Return how many tokens the caption has, bos and eos among them, before it is cut."""
        return len(self._ids(text)) + 2

    def save(self, folder: Path) -> None:
        """Write what ``load_tokenizer`` needs."""
        write_json(folder / SETTINGS, {"kind": "open_clip", "max_tokens": self.max_tokens})

    def _ids(self, text: str) -> list[int]:
        return [int(word) for word in self._words.encode(normalise(text))]
