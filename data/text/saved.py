"""The kinds of tokenizers, and the one that a run keeps in a folder."""

from collections.abc import Callable
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.data.text.open_clip import OpenClipTokenizer
from cinelex.data.text.pretrained import PretrainedTokenizer
from cinelex.data.text.tokenizer import SETTINGS, Tokenizer, TrainedTokenizer

LOADERS: dict[str, Callable[..., Tokenizer]] = {
    "trained": TrainedTokenizer.load,
    "pretrained": PretrainedTokenizer.load,
    "open_clip": OpenClipTokenizer.load,
}
"""By the kind that a tokenizer writes into its settings."""


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load what a tokenizer's ``save`` wrote.

    Raises:
        UserError: The folder holds no tokenizer.
    """
    settings = folder / SETTINGS
    if not settings.exists():
        raise UserError(f"{settings}: missing; it is written at the end of ingest, into the run")
    found = read_json(settings)
    return LOADERS[found["kind"]](folder, max_tokens=found["max_tokens"])


def keep_tokenizer(folder: Path, make: Callable[[], Tokenizer]) -> None:
    """Save a tokenizer in a folder that has none yet."""
    if not (folder / SETTINGS).exists():
        make().save(folder)
