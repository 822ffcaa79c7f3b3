"""The reports of many studies as tokens, encoded once and kept."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt32

from cinelex.core.folders import make_once
from cinelex.core.progress import progress
from cinelex.data.studies.studies import Studies
from cinelex.data.text.tokenizer import Tokenizer

FILES = ("ids.npy", "ends.npy")


class Tokens(Sequence[Any]):
    """bos … eos of every study's report; equal reports are held once."""

    def __init__(
        self,
        values: UInt32[np.ndarray, " token"],
        ends: Int64[np.ndarray, " text"],
        text_of: Int64[np.ndarray, " study"],
    ) -> None:
        """Hold the tokens of all texts, where each ends, and which text is each study's."""
        self._values, self._ends, self._text_of = values, ends, text_of

    def __len__(self) -> int:
        return len(self._text_of)

    def __getitem__(self, index: int) -> Int64[np.ndarray, " token"]:  # type: ignore[override]
        text = self._text_of[index]
        start = self._ends[text - 1] if text else 0
        return np.asarray(self._values[start : self._ends[text]], np.int64)

    def __iter__(self) -> Iterator[Int64[np.ndarray, " token"]]:
        return (self[index] for index in range(len(self)))


def encoded_reports(
    studies: Studies, tokenizer: Tokenizer, *, cache: Path | None = None, identity: str = ""
) -> Tokens:
    """Return the tokens of every study's report, from the cache where they are there.

    Args:
        studies: The studies.
        tokenizer: What encodes them.
        cache: Folder that keeps them, mapped into memory when they are read; None keeps nothing.
        identity: Hash of the tokenizer, where there is a cache.
    """
    texts, text_of = studies.report_codes()
    if cache is None:
        return Tokens(*_encode(texts, tokenizer), text_of)
    digest = hashlib.sha256(identity.encode())
    for text in texts:
        digest.update(f"{len(text)}:{text}".encode())

    def make(folder: Path) -> None:
        for name, array in zip(FILES, _encode(texts, tokenizer), strict=True):
            np.save(folder / name, array)

    folder = make_once(cache / digest.hexdigest()[:32], make)
    values, ends = (np.load(folder / name, mmap_mode="r") for name in FILES)
    return Tokens(values, ends, text_of)


def _encode(
    texts: Sequence[str], tokenizer: Tokenizer
) -> tuple[UInt32[np.ndarray, " token"], Int64[np.ndarray, " text"]]:
    """Return the tokens of all texts, one after the other, and where each text's end."""
    ids = [
        np.array(tokenizer.encode(text), np.uint32)
        for text in progress(texts, total=len(texts), what="encoding reports")
    ]
    return np.concatenate(ids), np.cumsum([len(one) for one in ids], dtype=np.int64)
