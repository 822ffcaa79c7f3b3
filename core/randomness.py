"""Randomness that is a function of what it is for, never of when or where it is drawn.

Every draw belongs to a key, such as (seed, epoch, study, clip). Workers, ranks, batch composition
and restarts therefore cannot change it.
"""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def keyed_seed(*parts: str | int) -> int:
    """Return a seed in [0, 2**63) that depends on every part, its type and its position."""
    text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def generator(*parts: str | int) -> "torch.Generator":
    """Return a CPU generator of torch that starts at the key's seed."""
    import torch  # here, for what draws with numpy need not wait for it

    return torch.Generator().manual_seed(keyed_seed(*parts))


def numpy_generator(*parts: str | int) -> np.random.Generator:
    """Return a generator of numpy that starts at the key's seed."""
    return np.random.Generator(np.random.PCG64(keyed_seed(*parts)))
