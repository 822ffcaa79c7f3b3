"""Reports to tokens and back."""

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from tokenizers import Regex as EngineRegex
from tokenizers import Tokenizer as Engine
from tokenizers import decoders, models, pre_tokenizers, trainers

from cinelex.core.errors import UserError, refusing
from cinelex.core.files import write_json, write_whole

SETTINGS = "cinelex_tokenizer.json"
"""Says beside the tokenizer's own files, if it has any, of which kind it is."""
PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
LARGEST_WHOLE_NUMBER = 100
PIECES = r" ?[0-9]+| ?\p{L}[\p{L}\p{M}]*| ?%| ?[^\s\p{L}0-9%]+|\s+"
NUMBER = re.compile(r" ?[0-9]+")
RARE_NUMBER = 2
"""A number beyond 100 is kept whole when the training reports hold it at least this often."""


def normalise(text: str) -> str:
    """Return text as the tokenizer sees it: NFC, one space for any run of blanks and controls."""
    whole = text.encode("utf-8", "replace").decode()
    spaced = "".join(
        " " if unicodedata.category(letter) in ("Cc", "Zs", "Zl", "Zp") else letter
        for letter in unicodedata.normalize("NFC", whole)
    )
    return " ".join(spaced.split())


@runtime_checkable
class Tokenizer(Protocol):
    """Turns a report into tokens and back."""

    pad_id: int
    bos_id: int
    eos_id: int
    vocab_size: int
    max_tokens: int
    """Most tokens of a report, bos and eos among them."""

    def encode(self, text: str) -> list[int]:
        """Return bos, the report's tokens, eos; the report is cut to fit ``max_tokens``."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens up to the first eos, without special tokens."""

    def length(self, text: str) -> int:
        """Return how many tokens the report has, bos and eos among them, before it is cut."""

    def save(self, folder: Path) -> None:
        """Write what ``load_tokenizer`` needs."""


class TrainedTokenizer:
    """Byte-level BPE trained on the manifest's reports, in which numbers stay whole.

    A piece is a word, a run of signs, a number or a percent sign, with the space before it. Numbers
    0 to 100, and larger ones that the reports repeat, are one token each, so "70%" is two tokens.
    Any other text falls back on bytes: nothing is unknown, and decoding gives back the normalised
    text exactly.
    """

    def __init__(self, engine: Engine, *, max_tokens: int) -> None:
        self._engine = engine
        self.max_tokens = max_tokens
        self.vocab_size: int = engine.get_vocab_size()
        self.pad_id, self.bos_id, self.eos_id = 0, 1, 2

    def encode(self, text: str) -> list[int]:
        """Return bos, the report's tokens, eos; the report is cut to fit ``max_tokens``."""
        return [self.bos_id, *self._ids(text)[: self.max_tokens - 2], self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens up to the first eos, without special tokens."""
        token_ids = list(ids)
        if self.eos_id in token_ids:
            token_ids = token_ids[: token_ids.index(self.eos_id)]
        text = self._engine.decode([token for token in token_ids if token > self.eos_id])
        return text.removeprefix(" ")

    def length(self, text: str) -> int:
        """Return how many tokens the report has, bos and eos among them, before it is cut."""
        return len(self._ids(text)) + 2

    def save(self, folder: Path) -> None:
        """Write what ``load_tokenizer`` needs."""
        write_whole(folder / "tokenizer.json", self._engine.to_str(pretty=True))
        write_json(folder / SETTINGS, {"kind": "trained", "max_tokens": self.max_tokens})

    @classmethod
    def load(cls, folder: Path, *, max_tokens: int) -> "TrainedTokenizer":
        """Return what ``save`` wrote.

        Raises:
            UserError: It is gone, or damaged; its vocabulary is not quoted.
        """
        path = folder / "tokenizer.json"
        with refusing(f"{path}: damaged", remedy="bring it back, or train the run again"):
            found = cls(Engine.from_file(str(path)), max_tokens=max_tokens)
            found.decode(found.encode("70%"))
        return found

    def _ids(self, text: str) -> list[int]:
        # The space makes a first word the same token as elsewhere; decoding takes it off again.
        clean = normalise(text)
        return self._engine.encode(" " + clean, add_special_tokens=False).ids if clean else []


def train_tokenizer(texts: Iterable[str], *, vocab_size: int, max_tokens: int) -> TrainedTokenizer:
    """Learn a vocabulary from reports.

    Args:
        texts: The training reports.
        vocab_size: Most tokens; fewer where the reports have less to learn.
        max_tokens: Most tokens of a report, bos and eos among them.

    Raises:
        UserError: The vocabulary has no room for bytes and numbers.
    """
    if max_tokens < 3:
        raise UserError(f"max_tokens must be at least 3 (bos, one token, eos), got {max_tokens}")
    clean = [normalise(text) for text in texts]
    numbers = _numbers(clean)
    room = vocab_size - len(numbers)
    fewest = 3 + 256
    if room < fewest:
        raise UserError(
            f"vocab_size {vocab_size} is too small: {fewest} tokens for bytes and marks and "
            f"{len(numbers)} for numbers are needed"
        )
    engine = _engine(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=room,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
        min_frequency=2,
    )
    pieces = (piece for text in clean for piece in NUMBER.split(" " + text) if piece)
    engine.train_from_iterator(pieces, trainer)
    learned = json.loads(engine.to_str())["model"]
    vocab = {str(token): int(index) for token, index in learned["vocab"].items()}
    for number in numbers:
        vocab.setdefault(number, len(vocab))
    merges = [(str(left), str(right)) for left, right in learned["merges"]]
    whole = models.BPE(vocab=vocab, merges=merges, ignore_merges=True)
    return TrainedTokenizer(_engine(whole), max_tokens=max_tokens)


def _engine(model: models.BPE) -> Engine:
    engine = Engine(model)
    engine.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(EngineRegex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    engine.decoder = decoders.ByteLevel()
    return engine


def _numbers(texts: Sequence[str]) -> list[str]:
    """Return the number pieces that get a token, as byte-level text, smallest first."""
    counts: dict[str, int] = {}
    for text in texts:
        for piece in NUMBER.findall(" " + text):
            counts[piece] = counts.get(piece, 0) + 1
    pieces = {f"{space}{number}" for number in range(LARGEST_WHOLE_NUMBER + 1) for space in " |"}
    pieces = {piece.replace("|", "") for piece in pieces}
    pieces |= {piece for piece, count in counts.items() if count >= RARE_NUMBER}
    ordered = sorted(pieces, key=lambda piece: (len(piece.strip()), piece.strip(), piece))
    return [piece.replace(" ", "Ġ") for piece in [" %", *ordered]]
