"""Videos for a store."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.data.video.stores import Decoding

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


@pytest.fixture
def videos(tmp_path: Path, write_video: Write, steps: Steps) -> list[Path]:
    """Videos of 8, 4 and 2 frames, one that is garbage and one that is not there."""
    root = tmp_path / "videos"
    written = [
        write_video(root / f"{frames}.mp4", steps(frames, start=10 * frames))
        for frames in (8, 4, 2)
    ]
    (root / "bad.mp4").write_bytes(b"\x00\x01\xfe no video")
    return [*written, root / "bad.mp4", root / "absent.mp4"]


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> Decoding:
    return Decoding(monkeypatch)
