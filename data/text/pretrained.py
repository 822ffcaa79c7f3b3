"""Any tokenizer of transformers, by name or from a folder."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cinelex.core.errors import UserError, refusing
from cinelex.core.files import write_json
from cinelex.data.text.tokenizer import SETTINGS, normalise

SENTENCE = "No stenosis, 70% of the mid LAD; \u03b1 \u72ed."
"""Holds letters, digits, signs, and what many vocabularies lack."""


class PretrainedTokenizer:
    """A tokenizer that came with a text encoder, framed by bos … eos (BERT's [CLS] … [SEP])."""

    def __init__(self, name: str, *, max_tokens: int) -> None:
        """Load it from a folder, from the local cache, or from the hub where there is a network.

        Args:
            name: A folder, or a name on the hub such as "bert-base-uncased".
            max_tokens: Most tokens of a report, bos and eos among them.

        Raises:
            UserError: It is nowhere to be found, or has no pad, bos or eos token of its own.
        """
        self._engine = _load(name)
        self.name = name
        self.max_tokens = max_tokens
        self.vocab_size: int = len(self._engine)
        self.bos_id = self._special("bos_token_id", "cls_token_id")
        self.eos_id = self._special("eos_token_id", "sep_token_id")
        self.pad_id = self._special("pad_token_id")
        if self.pad_id in (self.bos_id, self.eos_id):
            raise UserError(
                f"tokenizer {name!r} pads with its bos or eos token, which then could not be told "
                "from padding; set another pad_token in its tokenizer_config.json"
            )
        self._try()

    def encode(self, text: str) -> list[int]:
        """Return bos, the report's tokens, eos; the report is cut to fit ``max_tokens``."""
        return [self.bos_id, *self._ids(text)[: self.max_tokens - 2], self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens up to the first eos, without special tokens."""
        token_ids = [int(token) for token in ids]
        start = 1 if token_ids[:1] == [self.bos_id] else 0
        if self.eos_id in token_ids[start:]:
            token_ids = token_ids[: token_ids.index(self.eos_id, start)]
        return str(self._engine.decode(token_ids, skip_special_tokens=True)).strip()

    def length(self, text: str) -> int:
        """Return how many tokens the report has, bos and eos among them, before it is cut."""
        return len(self._ids(text)) + 2

    def save(self, folder: Path) -> None:
        """Write the tokenizer's own files and what ``load_tokenizer`` needs."""
        self._engine.save_pretrained(folder)
        write_json(folder / SETTINGS, {"kind": "pretrained", "max_tokens": self.max_tokens})

    @classmethod
    def load(cls, folder: Path, *, max_tokens: int) -> "PretrainedTokenizer":
        """Return what ``save`` wrote."""
        return cls(str(folder), max_tokens=max_tokens)

    def _ids(self, text: str) -> list[int]:
        encoded = self._engine(normalise(text), add_special_tokens=False, verbose=False)
        return [int(token) for token in encoded["input_ids"]]

    def _try(self) -> None:
        """Refuse a vocabulary that is damaged before a report needs it."""
        what = f"tokenizer {self.name!r} does not read and write a sentence"
        with refusing(what, remedy="copy its files there again"):
            ids = self.encode(SENTENCE)
            self.decode(ids)
        if not all(0 <= token < self.vocab_size for token in (*ids, self.pad_id)):
            raise UserError(f"tokenizer {self.name!r} writes tokens that its vocabulary has not")

    def _special(self, *names: str) -> int:
        for name in names:
            value = getattr(self._engine, name, None)
            if value is not None:
                return int(value)
        raise UserError(f"tokenizer {self.name!r} has no {names[0].removesuffix('_id')}")


def _load(name: str) -> Any:
    """Load from here first, so that a machine without a network does not wait for one."""
    from transformers import AutoTokenizer  # here, because it takes a second

    files = "its tokenizer.json (or vocab.txt) and tokenizer_config.json"
    if Path(name).is_dir():
        damaged = f"tokenizer {name!r}: the folder's files cannot be read"
        with refusing(damaged, remedy=f"copy {files} there again"):
            return AutoTokenizer.from_pretrained(name, local_files_only=True)
    absent = (
        f"tokenizer {name!r} is neither a folder, nor in the local cache, nor to be had over the "
        "network"
    )
    with suppress(UserError), refusing(absent):
        return AutoTokenizer.from_pretrained(name, local_files_only=True)
    with refusing(absent, remedy=f"copy {files} into a folder and name that folder instead"):
        return AutoTokenizer.from_pretrained(name, trust_remote_code=False)
