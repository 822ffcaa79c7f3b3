"""Look for what a made-up hospital invented in every byte below some folders."""

import gzip
import re
import unicodedata
import zipfile
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

RUN = re.compile(rb"[\x20-\x7e]{6,}")
"""Bytes that may be text."""
BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}")
"""What may be a picture or a file that a page carries."""
HEAD = 6
"""Letters that every canary has at least, by which it is looked up."""
SPELLINGS = {
    letter: (letter.encode(), f"\\u{ord(letter):04x}".encode(), f"&#{ord(letter)};".encode())
    for letter in "öéÖÉ"
}
"""In UTF-8, JSON and HTML."""
PLAIN = bytes.maketrans("öéÖÉ".encode("latin-1"), b"oeOE")
PRIVATE = "private"


@dataclass(frozen=True)
class Canaries:
    """Texts to be found, without accents and in small letters, by how they begin."""

    by_head: dict[str, list[tuple[str, str]]]
    """First letters to texts and their kinds."""
    of_study: dict[str, list[str]]
    """Days by study, that must not stand beside it."""

    @classmethod
    def of(cls, known: Iterable[dict[str, Any]]) -> "Canaries":
        """Return the canaries that a hospital's truth lists.

        Raises:
            ValueError: One is too short to be told from chance.
        """
        by_head: dict[str, list[tuple[str, str]]] = {}
        of_study: dict[str, list[str]] = {}
        for canary in known:
            text = plain(canary["text"])
            if len(text) < HEAD:
                raise ValueError(f"a canary of {len(text)} letters is found by chance")
            if canary["kind"] == "study_date":
                of_study.setdefault(canary["study"], []).append(text)
            else:
                by_head.setdefault(text[:HEAD], []).append((text, canary["kind"]))
        return cls(by_head, of_study)

    def within(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield text and kind of every canary in a plain text; digits alone must stand alone."""
        for place in range(len(text) - HEAD + 1):
            for canary, kind in self.by_head.get(text[place : place + HEAD], ()):
                if text.startswith(canary, place) and _stands(text, canary, place):
                    yield canary, kind


def _stands(text: str, canary: str, place: int) -> bool:
    if not canary.isdigit():
        return True
    end = place + len(canary)
    return not text[max(0, place - 1) : place].isalnum() and not text[end : end + 1].isalnum()


def plain(text: str) -> str:
    """Return a text in small letters without accents."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


@dataclass
class Found:
    """What was found, and where."""

    hits: list[tuple[str, str, str]] = field(default_factory=list)
    """Name of the file, kind, text."""
    files: int = 0
    searched_bytes: int = 0

    def summary(self) -> list[tuple[str, str, int]]:
        """Return how often each kind was found in each file."""
        counts = Counter((where, kind) for where, kind, _ in self.hits)
        return [(where, kind, count) for (where, kind), count in counts.most_common()]


def search(canaries: Canaries, folders: Sequence[Path]) -> Found:
    """Look into every file and name below the folders, but not into those called private."""
    found = Found()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            below = path.relative_to(folder)
            if PRIVATE in below.parts or not path.is_file():
                continue
            found.files += 1
            for content in (bytes(below), *contents(path)):
                found.searched_bytes += len(content)
                found.hits += [(str(below), kind, text) for text, kind in look(canaries, content)]
    return found


def contents(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, and those of what is packed in it."""
    content = path.read_bytes()
    yield content
    if path.suffix == ".parquet":
        for column in pq.read_table(path).columns:
            yield "\n".join(map(str, column.to_pylist())).encode()
    elif path.suffix in {".html", ".json", ".jsonl"}:
        runs = (run.group() for run in BASE64.finditer(content))
        yield from (b64decode(run[: len(run) - (len(run) % 4 == 1)] + b"==") for run in runs)
    elif path.suffix == ".gz":
        yield gzip.decompress(content)
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name) for name in packed.namelist())


def look(canaries: Canaries, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield what is found in some bytes, be they text in UTF-8 or Latin-1, or anything else."""
    for letter, spellings in SPELLINGS.items():
        for spelling in spellings:
            content = content.replace(spelling, plain(letter).encode())
    for run in RUN.finditer(content.translate(PLAIN)):
        yield from canaries.within(run.group().decode("ascii").lower())
