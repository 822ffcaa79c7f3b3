"""Damaged media: frames, or a typed refusal that says nothing of the file; no crash, no hang."""

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from cinelex.data.video.decode import Limits, VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape
from tests.data.video.mutants import CANARY, mutants, write_kinds

pytestmark = pytest.mark.slow


def test_damaged_headers_are_read_or_refused(
    tmp_path: Path, write_video: Callable[..., Path]
) -> None:
    paths = write_kinds(tmp_path, write_video)
    limits = Limits(max_pixels=1 << 22, max_frames=1000, deadline_s=30.0)
    shape = Shape(size=8, channels=1)
    outcomes, said = [], []
    with ChildDecoder(limits, backend="pyav") as child:
        for path in chain(paths, mutants(paths, tmp_path, 5 * len(paths))):
            try:
                _, frames = child.read_stored(path, shape=shape, stored_frames=4)
            except VideoError as error:
                said.append(str(error))
                outcomes.append(type(error).__name__)
            else:
                assert frames.shape[1:] == (8, 8, 1)
                outcomes.append("read")
        assert child.deaths == 0
    assert not any(CANARY in text or "\n" in text for text in said)
    assert outcomes[: len(paths)] == ["read"] * len(paths)
    assert {"read", "VideoCorrupt"} <= set(outcomes[len(paths) :])
