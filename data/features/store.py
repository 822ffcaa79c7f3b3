"""What frozen towers made of clips and of reports, kept by what went into them."""

import hashlib
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.store_writer import StoreWriter
from cinelex.data.video.videos import REMEMBERED

Precision = Literal["fp32", "bf16"]
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
CLOSED_AFTER_S = 60.0
"""What was made longer ago survives the end of the process."""


class FeatureStore:
    """A table of numbers by key, in the form in which frames are stored: a row of bytes a token.

    What others append later is not seen.
    """

    def __init__(self, folder: Path, *, precision: Precision) -> None:
        """Open what there is.

        Args:
            folder: Of one tower in one precision.
            precision: In which numbers were written.

        Raises:
            UserError: An index file is damaged.
        """
        self.folder, self.precision = folder, precision
        self._store = FrameStore(folder)
        self._row = lru_cache(REMEMBERED)(self._find)

    def __len__(self) -> int:
        return len(self._store)

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Return the keys that are not here, in their order."""
        rows = self._store.rows(pa.array(keys, pa.large_string()))
        return [key for key, row in zip(keys, rows.tolist(), strict=True) if row < 0]

    def read(self, key: str) -> Float[Tensor, "token native"]:
        """Return the features of a key, in fp32.

        Raises:
            KeyError: It is not in the store.
            UserError: The file ends before.
        """
        return self.stack([key])[0]

    def stack(self, keys: Sequence[str]) -> Float[Tensor, "key token native"]:
        """Return the features of keys that have equally many tokens, in fp32; see `read`."""
        rows = torch.from_numpy(np.concatenate([self._row(key) for key in keys]))
        return rows.view(TYPES[self.precision]).float()

    def _find(self, key: str) -> UInt8[np.ndarray, "1 token byte"]:
        """Return the mapped bytes of a key, without a copy."""
        return self._store.frames(key)[None, :, 0, :, 0]


class FeatureWriter:
    """Appends to a store; several processes may, each with a writer of its own."""

    def __init__(self, folder: Path, *, precision: Precision) -> None:
        """Open no file yet; arguments are those of the store."""
        self._type = TYPES[precision]
        self._writer = StoreWriter(folder, part="features", compression="none")
        self._opened = time.monotonic()

    def add(self, key: str, features: Float[Tensor, "token native"]) -> None:
        """Append the features of a key.

        Raises:
            OSError: The disk refused; what was not closed is removed.
        """
        rows = features.detach().cpu().to(self._type).contiguous().view(torch.uint8).numpy()
        self._writer.add(key, rows[:, None, :, None])
        if time.monotonic() - self._opened > CLOSED_AFTER_S:
            self.close()

    def close(self) -> None:
        """Leave what was added where readers find it."""
        self._writer.close()
        self._opened = time.monotonic()

    def __enter__(self) -> "FeatureWriter":
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        self._writer.__exit__(kind, *rest)


def text_key(token_ids: Int[Tensor, " token"]) -> str:
    """Return what a report's features are kept under."""
    return hashlib.sha256(token_ids.to(torch.int64).numpy().tobytes()).hexdigest()[:32]


def clip_key(frames: bytes, indices: Sequence[int]) -> str:
    """Return what a clip's features are kept under.

    Args:
        frames: Digest of the frames of its video.
        indices: Which of them it shows.
    """
    return hashlib.sha256(frames + np.asarray(indices, "<i4").tobytes()).hexdigest()[:32]
