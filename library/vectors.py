"""The vectors of a library: of studies in a faiss index, of single videos in a file beside it.

Both are read through mapped memory. Rows are only ever appended, and a row is what the catalogue
says it is: the hash of each vector stands there.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import faiss
import numpy as np
from jaxtyping import Float32, Int64

from cinelex.core.errors import UserError
from cinelex.core.files import write_whole

Rows = Float32[np.ndarray, "row dim"]
STUDIES, VIDEOS = "studies.faiss", "videos.f32"
SAMPLED: Final = 2000
"""Studies that stand for a random one."""


def digest_of(vector: Float32[np.ndarray, " dim"]) -> bytes:
    """Return the hash of a vector, as the catalogue keeps it."""
    return hashlib.blake2b(np.ascontiguousarray(vector).data, digest_size=16).digest()


@dataclass(frozen=True)
class Near:
    """What a search finds, best first."""

    rows: Int64[np.ndarray, " found"]
    scores: Float32[np.ndarray, " found"]
    """Cosines."""


class Vectors:
    """The vectors of a folder, opened for reading."""

    def __init__(self, folder: Path, *, dim: int, studies: int, videos: int) -> None:
        """Map the files.

        Args:
            folder: Of the library.
            dim: Of a vector.
            studies: Rows that the catalogue knows.
            videos: Videos that it knows.

        Raises:
            UserError: There are others.
        """
        self.folder, self.dim = folder, dim
        flags = faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY
        try:
            self._index: Any = faiss.read_index(str(folder / STUDIES), flags)
            flat = np.memmap(folder / VIDEOS, np.float32, "r")
        except (RuntimeError, OSError, ValueError):
            raise damaged(folder) from None
        if self._index.d != dim or self._index.ntotal != studies or flat.size != videos * dim:
            raise damaged(folder)
        self.videos: Rows = np.asarray(flat).reshape(videos, dim)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def check(self, digests: Sequence[bytes]) -> None:
        """Compare every row with the hash that the catalogue has of it.

        Raises:
            UserError: A row is not what was written.
        """
        if [digest_of(row) for row in self.all] != list(digests):
            raise damaged(self.folder)

    @cached_property
    def all(self) -> Rows:
        """All vectors of studies, where they are mapped."""
        codes = faiss.rev_swig_ptr(self._index.get_xb(), len(self) * self.dim)
        return codes.reshape(len(self), self.dim)

    @cached_property
    def sampled(self) -> Int64[np.ndarray, " sampled"]:
        """Return rows that stand for a random study; always the same."""
        draw = np.random.default_rng(0)
        return np.sort(draw.permutation(len(self))[:SAMPLED])

    @cached_property
    def random(self) -> Rows:
        """The vectors of those rows."""
        return self.all[self.sampled]

    def nearest(
        self,
        query: Float32[np.ndarray, " dim"],
        count: int,
        allowed: Int64[np.ndarray, " row"] | None = None,
    ) -> Near:
        """Return the nearest rows, exactly; ``allowed`` are the only ones that count."""
        if count == 0:
            return Near(np.zeros(0, np.int64), np.zeros(0, np.float32))
        if allowed is not None and len(allowed) == len(self):
            allowed = None
        how = None
        if allowed is not None:
            bits = np.zeros(len(self), bool)
            bits[allowed] = True
            mask = np.packbits(bits, bitorder="little")
            library: Any = faiss  # its own types lack what it adds to its classes
            how = library.SearchParameters(sel=library.IDSelectorBitmap(mask))
        scores, rows = self._index.search(query[None].astype(np.float32), count, params=how)
        found = rows[0] >= 0
        return Near(rows[0][found], scores[0][found])


def append(folder: Path, dim: int, *, studies: Rows, videos: Rows, known: tuple[int, int]) -> None:
    """Add rows behind the ``known`` ones (studies, videos).

    What stands behind those was left by a process that died before the catalogue knew of it.
    """
    index = faiss.IndexFlatIP(dim)
    if known[0]:
        old = faiss.read_index(str(folder / STUDIES))
        index.add(old.reconstruct_n(0, known[0]))
    index.add(studies)
    write_whole(folder / STUDIES, faiss.serialize_index(index).data)
    with (folder / VIDEOS).open("ab") as stream:
        stream.truncate(known[1] * dim * 4)
        stream.seek(0, 2)
        stream.write(np.ascontiguousarray(videos).data)


def damaged(folder: Path) -> UserError:
    """Return what is said where files do not fit one another."""
    return UserError(
        f"{folder}: damaged, its rows are not those of its studies; delete this folder"
    )
