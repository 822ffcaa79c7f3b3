"""The tokenizer of a run: learned from its reports or read, and kept in its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import TokenizerConfig
from cinelex.core.checkpoint import has_begun
from cinelex.core.errors import about
from cinelex.core.files import hash_json
from cinelex.data.text.open_clip import OpenClipTokenizer
from cinelex.data.text.pretrained import PretrainedTokenizer
from cinelex.data.text.saved import keep_tokenizer
from cinelex.data.text.tokenizer import Tokenizer, train_tokenizer


def keep_tokenizer_of(config: TokenizerConfig, reports: Sequence[str], folder: Path) -> None:
    """Leave a tokenizer in a run's folder, made from these reports and this config.

    One that was made from others is made anew, unless the run has begun: its weights know that one.
    """
    target = folder / "tokenizer"
    if not (has_begun(folder) and target.exists()):
        learned = [config.vocab_size, *reports] if config.kind == "trained" else [config.path]
        source = hash_json([config.kind, config.max_tokens, *learned])
        keep_tokenizer(target, lambda: make_tokenizer(config, reports), source=source)


def make_tokenizer(config: TokenizerConfig, reports: Sequence[str]) -> Tokenizer:
    """Read the tokenizer that the config names, or learn one from the training reports."""
    with about("tokenizer"):
        if config.kind == "open_clip":
            return OpenClipTokenizer(max_tokens=config.max_tokens)
        if config.path is not None:
            return PretrainedTokenizer(config.path, max_tokens=config.max_tokens)
        return train_tokenizer(reports, vocab_size=config.vocab_size, max_tokens=config.max_tokens)


def planned_tokenizer(config: TokenizerConfig) -> Tokenizer:
    """Return a tokenizer as large as the run's may become, before any report is read."""
    if config.kind != "trained":
        return make_tokenizer(config, ())
    return PlannedTokenizer(config.vocab_size, config.max_tokens)


@dataclass
class PlannedTokenizer:
    """The sizes of a tokenizer that is still to be learned."""

    vocab_size: int
    max_tokens: int
    pad_id: int = 0
    bos_id: int = 1
    eos_id: int = 2

    def encode(self, text: str) -> list[int]:
        """Return no report's tokens."""
        return [self.bos_id, self.eos_id]

    def decode(self, ids: Sequence[int]) -> str:
        """Return no text."""
        return ""

    def length(self, text: str) -> int:
        """Return the tokens of an empty report."""
        return 2

    def save(self, folder: Path) -> None:
        """Write nothing: there is nothing to keep."""
