"""PyAV's reader, and the decoder that can be killed."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from cinelex.core.children import Child
from cinelex.core.files import hash_file
from cinelex.data.video.decode import (
    Limits,
    SetupError,
    VideoCorrupt,
    VideoMissing,
    VideoTimeout,
    VideoUnsupported,
)
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.decode_torchcodec import TorchCodecHere
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape

pytestmark = pytest.mark.slow

Write = Callable[..., Path]
Steps = Callable[..., np.ndarray]


@pytest.fixture(params=["pyav", "decord"])
def child(request: pytest.FixtureRequest) -> Iterator[ChildDecoder]:
    with ChildDecoder(backend=request.param) as decoder:
        yield decoder


def pid_of(decoder: ChildDecoder) -> int:
    pid = decoder.pid
    assert pid is not None
    return pid


def test_a_child_reads_what_this_process_reads(
    tmp_path: Path, write_video: Write, steps: Steps, child: ChildDecoder
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(5, rows=18, columns=34), pix_fmt="yuv420p")
    here = PyAVDecoder()
    assert child.probe(path) == here.probe(path)
    np.testing.assert_array_equal(child.read(path, [4, 0, 0]), here.read(path, [4, 0, 0]))


def test_refusals_keep_their_type_and_the_child_goes_on(
    tmp_path: Path, write_video: Write, steps: Steps, child: ChildDecoder
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(3, rows=64, columns=64))
    (tmp_path / "bad.mp4").write_bytes(b"\x00\x01\xfe no video")
    assert child.probe(path).frames == 3
    pid = pid_of(child)
    with pytest.raises(VideoMissing):
        child.probe(tmp_path / "absent.mp4")
    with pytest.raises(VideoCorrupt):
        child.read(tmp_path / "bad.mp4", [0])
    with pytest.raises(IndexError, match="frame 9 of a video of 3"):
        child.read(path, [9])
    assert child.probe(path).frames == 3
    assert pid_of(child) == pid


def test_a_child_that_hangs_is_killed_and_replaced(
    tmp_path: Path, write_video: Write, steps: Steps
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(3))
    with ChildDecoder(backend="pyav") as child:
        assert child.probe(path).frames == 3
        pid = pid_of(child)
        os.kill(pid, signal.SIGSTOP)
        child.limits = Limits(deadline_s=0.2)
        with pytest.raises(VideoTimeout, match="within 0.2 s"):
            child.probe(path)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        child.limits = Limits()
        assert child.probe(path).frames == 3


@pytest.mark.parametrize("killings", [1, 2])
def test_a_video_is_tried_once_more_when_its_decoder_is_killed(
    tmp_path: Path,
    write_video: Write,
    steps: Steps,
    monkeypatch: pytest.MonkeyPatch,
    killings: int,
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(3))
    send = Child._send
    left = [signal.SIGKILL] * killings

    def kill_and_send(self: Child, process: Any, request: Any) -> None:
        if left:
            process.send_signal(left.pop())
            process.wait()
        send(self, process, request)

    monkeypatch.setattr(Child, "_send", kill_and_send)
    with ChildDecoder(backend="pyav") as child:
        if killings == 1:
            assert child.probe(path).frames == 3
        else:
            with pytest.raises(VideoTimeout, match="died on it, twice"):
                child.probe(path)
            assert child.probe(path).frames == 3
        assert child.deaths == killings


def test_stored_frames_are_spaced_scaled_and_hashed(
    tmp_path: Path, write_video: Write, steps: Steps, child: ChildDecoder
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(8, rows=32, columns=32), pix_fmt="yuv420p")
    info, frames = child.read_stored(path, shape=Shape(size=8, channels=1), stored_frames=4)
    assert info.frames == 8
    assert child.content(path) == hash_file(path)
    assert frames.shape == (4, 8, 8, 1)
    np.testing.assert_allclose(frames.mean((1, 2, 3)), [30, 50, 70, 90], atol=2)


def test_frames_that_decord_pads_are_refused(
    tmp_path: Path, write_video: Write, steps: Steps
) -> None:
    path = write_video(tmp_path / "v.mp4", steps(2, rows=16, columns=16))
    with ChildDecoder(backend="decord") as child, pytest.raises(VideoUnsupported, match="shape"):
        child.read(path, [0])


@pytest.mark.parametrize(("kind", "codec"), [("flv", "flv"), ("wmv", "wmv2")])
def test_a_last_frame_of_no_stated_length_is_no_damage(
    tmp_path: Path, write_video: Write, steps: Steps, kind: str, codec: str
) -> None:
    options = {"codec": codec, "pix_fmt": "yuv420p", "options": {}}
    path = write_video(tmp_path / f"v.{kind}", steps(6), **options)
    assert PyAVDecoder().probe(path).frames == 6


def test_a_title_in_another_encoding_hurts_nobody(tmp_path: Path, steps: Steps) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Muller"
        stream: Any = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 16, 16, "yuv420p"
        for picture in steps(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Muller", "Müller".encode("latin-1")))
    assert PyAVDecoder().probe(path).frames == 3


def test_torchcodec_without_ffmpeg_says_what_to_install(
    tmp_path: Path, write_video: Write, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be imported then, and each decoder fails as if the video were bad."""
    path = write_video(tmp_path / "v.mp4", steps(3, rows=64, columns=64))
    library = ModuleType("torchcodec")
    library.__dict__.update(ffmpeg_major_version=None, decoders=ModuleType("decoders"))
    monkeypatch.setitem(sys.modules, "torchcodec", library)
    with pytest.raises(SetupError, match=r"install FFmpeg.*data\.decoder=pyav"):
        TorchCodecHere().probe(path)
