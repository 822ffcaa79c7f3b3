"""Cines by key: what was closed is read, whatever happens to those who write."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cinelex.core.errors import UserError
from cinelex.core.processes import child_environment
from cinelex.data.video.codecs import Compression
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.store_index import merge_index
from cinelex.data.video.store_writer import StoreWriter

BOTH: list[Compression] = ["none", "zstd"]


def cine(seed: int, *, frames: int = 3, channels: int = 1) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (frames, 5, 7, channels), dtype=np.uint8)


def write(folder: Path, *seeds: int, compression: Compression = "none", part: str = "0") -> None:
    with StoreWriter(folder, part=part, compression=compression) as writer:
        for seed in seeds:
            writer.add(f"c{seed}", cine(seed))


@pytest.mark.parametrize("compression", BOTH)
@pytest.mark.parametrize("channels", [1, 3])
def test_frames_and_times_come_back_as_they_were(
    tmp_path: Path, compression: Compression, channels: int
) -> None:
    frames = cine(1, channels=channels)
    with StoreWriter(tmp_path, compression=compression) as writer:
        writer.add("a", frames, times_ms=[0.0, 33.3, 70.1])
        writer.add("b", frames[:1, :2])
    store = FrameStore(tmp_path)
    np.testing.assert_array_equal(store.frames("a"), frames)
    np.testing.assert_array_equal(store.frames("b"), frames[:1, :2])
    np.testing.assert_array_equal(store.read(store.row("a"), [2, 0, 0]), frames[[2, 0, 0]])
    assert store.times("a") == (0.0, 33.3, 70.1)
    assert store.times("b") is None


def test_compressed_frames_are_smaller_and_have_the_same_digest(tmp_path: Path) -> None:
    even = np.full((4, 64, 64, 1), 7, np.uint8)
    for compression in BOTH:
        with StoreWriter(tmp_path / compression, compression=compression) as writer:
            writer.add("a", even)
    raw, packed = (FrameStore(tmp_path / compression) for compression in BOTH)
    assert raw.digest("a") == packed.digest("a")
    assert packed.stored(0).bytes < raw.stored(0).bytes / 20


def test_what_is_not_there_is_known(tmp_path: Path) -> None:
    write(tmp_path, 1)
    store = FrameStore(tmp_path)
    assert "c1" in store
    assert "c2" not in store
    assert store.rows(pa.array(["c1", "c2"], pa.large_string())).tolist() == [0, -1]
    with pytest.raises(KeyError):
        store.frames("c2")
    assert len(FrameStore(tmp_path / "nowhere")) == 0


def test_many_write_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: write(tmp_path, n, 10, part="same"), range(4)))
    store = FrameStore(tmp_path)
    assert set(store.keys.to_pylist()) == {"c0", "c1", "c2", "c3", "c10"}
    np.testing.assert_array_equal(store.frames("c10"), cine(10))


def test_merging_changes_nothing_that_is_read(tmp_path: Path) -> None:
    for seed in range(5):
        write(tmp_path, seed)
    before = FrameStore(tmp_path)
    merge_index(tmp_path, least=2)
    assert len(list(tmp_path.glob("index-*"))) == 1
    write(tmp_path, 7)
    after = FrameStore(tmp_path)
    assert len(after) == 6
    for seed in range(5):
        np.testing.assert_array_equal(after.frames(f"c{seed}"), before.frames(f"c{seed}"))


def test_an_index_that_a_merge_left_behind_counts_once(tmp_path: Path) -> None:
    write(tmp_path, 1)
    write(tmp_path, 2)
    old = {path: path.read_bytes() for path in tmp_path.glob("index-*")}
    merge_index(tmp_path, least=2)
    for path, content in old.items():
        path.write_bytes(content)
    assert sorted(FrameStore(tmp_path).keys.to_pylist()) == ["c1", "c2"]


def test_damage_is_found(tmp_path: Path) -> None:
    write(tmp_path, 1)
    write(tmp_path, 2, compression="zstd")
    assert FrameStore(tmp_path).verify() == []
    for path in tmp_path.glob("frames-*"):
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    assert len(FrameStore(tmp_path).verify()) == 2
    next(tmp_path.glob("*.u8")).unlink()
    assert FrameStore(tmp_path).keys.to_pylist() == ["c2"]
    (index, *_) = tmp_path.glob("index-*")
    index.write_bytes(index.read_bytes()[:-3])
    with pytest.raises(UserError, match="damaged; delete it"):
        FrameStore(tmp_path)


def test_a_refusing_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    write(tmp_path, 1)
    there = sorted(tmp_path.iterdir())
    writer = StoreWriter(tmp_path)
    writer.add("c2", cine(2))
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            writer.close()
    assert sorted(tmp_path.iterdir()) == there
    writer.add("c3", cine(3))
    writer.close()
    assert sorted(FrameStore(tmp_path).keys.to_pylist()) == ["c1", "c3"]


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from cinelex.data.video import store_writer
store_writer.SHARD_CINES = 2
writer = store_writer.StoreWriter(Path(sys.argv[1]), compression="none")
for n in range(5):
    writer.add(f"k{n}", np.full((1, 2, 2, 1), n, np.uint8))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_was_closed_survives_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    ended = subprocess.run(command, env=child_environment(), check=False)
    assert ended.returncode == -signal.SIGKILL
    store = FrameStore(tmp_path)
    assert sorted(store.keys.to_pylist()) == ["k0", "k1", "k2", "k3"]
    assert store.verify() == []


@pytest.mark.parametrize("key", ["", "a/b", "a b", "ä", "x" * 201])
def test_odd_keys_are_refused(tmp_path: Path, key: str) -> None:
    with StoreWriter(tmp_path) as writer, pytest.raises(ValueError, match="a key is"):
        writer.add(key, cine(1))
