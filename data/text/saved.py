"""The kinds of tokenizers, and the one that a run keeps in a folder."""

from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, hash_json, read_json, write_json
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
        UserError: The folder holds no tokenizer, or a damaged one.
    """
    settings = folder / SETTINGS
    if not settings.exists():
        raise UserError(f"{settings}: missing; it is written at the end of ingest, into the run")
    found = read_json(settings)
    kind = found.get("kind") if isinstance(found, dict) else None
    if kind not in LOADERS or not isinstance(found.get("max_tokens"), int):
        raise UserError(f"{settings}: damaged; bring it back, or train the run again")
    return LOADERS[kind](folder, max_tokens=found["max_tokens"])


def keep_tokenizer(folder: Path, make: Callable[[], Tokenizer], *, source: str) -> None:
    """Save a tokenizer in a folder, unless the one that is there was made from the same.

    Args:
        folder: Where to; what another source left there goes.
        make: Makes it.
        source: Hash of all that it is made from.
    """
    settings = folder / SETTINGS
    found = read_json(settings) if settings.exists() else {}
    if isinstance(found, dict) and found.get("source") == source:
        return
    tokenizer = make()
    rmtree(folder, ignore_errors=True)
    tokenizer.save(folder)
    # what says that it is whole comes last
    write_json(settings, {**read_json(settings), "source": source})


def tokenizer_hash(folder: Path) -> str:
    """Return a hash of everything that a tokenizer's ``save`` wrote."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hash_json({str(path.relative_to(folder)): hash_file(path) for path in files})
