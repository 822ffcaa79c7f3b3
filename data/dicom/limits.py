"""How much of a file is ever held in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is refused before anything is allocated for it."""

    max_side: int = 8192
    """Rows and columns."""
    max_frames: int = 20_000
    max_bytes: int = 2 << 30
    """Of a cine's samples, as they are stored or as 8 bit; both are held at once, and the file."""
