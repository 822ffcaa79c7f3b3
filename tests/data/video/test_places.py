"""A store in object storage: an S3 server on this machine, read through a bounded copy."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cinelex.core.errors import UserError
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import IngestSettings, ingest
from cinelex.data.video.resize import Shape
from cinelex.data.video.store_writer import StoreWriter

pytestmark = pytest.mark.slow
CINES = 6


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """Serve S3 on loopback, and say where a store may be."""
    server_module = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    names = {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    before = {name: os.environ.get(name) for name in names}
    os.environ |= names
    files = s3fs.S3FileSystem()
    files.mkdir("cines")
    yield "s3://cines/set/store"
    server.stop()
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


def cine(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (4, 16, 16, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def url(bucket: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Put a store there."""
    import s3fs

    folder = tmp_path_factory.mktemp("written")
    for compression in ("none", "zstd"):
        with StoreWriter(folder, compression=compression) as writer:
            for number in range(CINES):
                writer.add(f"{compression}{number}", cine(number), times_ms=[0.0, 1.0, 2.0, 4.0])
    s3fs.S3FileSystem().put(f"{folder}/", f"{bucket}/", recursive=True)
    return bucket


def test_frames_are_read_and_their_copies_are_kept(url: str, tmp_path: Path) -> None:
    store = FrameStore(url, kept=tmp_path)
    assert len(store) == 2 * CINES
    for key in ("none2", "zstd2"):
        np.testing.assert_array_equal(store.frames(key), cine(2))
        np.testing.assert_array_equal(store.read(store.row(key), [3, 0]), cine(2)[[3, 0]])
        assert store.times(key) == (0.0, 1.0, 2.0, 4.0)
    copies = {path.name for path in tmp_path.glob("*/frames-*")}
    assert len(copies) == 2
    store.frames("none2")
    assert {path.name for path in tmp_path.glob("*/frames-*")} == copies


def test_copies_stay_within_their_bytes(url: str, tmp_path: Path) -> None:
    most = 12_000  # two or three of the cines, and the index
    store = FrameStore(url, kept=tmp_path, most_bytes=most)
    for _ in range(2):
        for number in range(CINES):
            np.testing.assert_array_equal(store.frames(f"none{number}"), cine(number))
            assert sum(path.stat().st_size for path in tmp_path.glob("*/*")) <= most


def test_four_readers_together_stay_within_the_bytes(tmp_path: Path) -> None:
    cines, most = 96, 40_000  # of 1 kB each
    with StoreWriter(tmp_path / "store", compression="none") as writer:
        for number in range(cines):
            writer.add(f"c{number}", cine(number))
    url, kept = (tmp_path / "store").as_uri(), tmp_path / "kept"
    readers = [FrameStore(url, kept=kept, most_bytes=most) for _ in range(4)]
    for number in range(cines):
        np.testing.assert_array_equal(readers[number % 4].frames(f"c{number}"), cine(number))
        assert sum(path.stat().st_size for path in kept.glob("*/*")) <= most


def test_a_run_reads_cines_from_there(url: str, tmp_path: Path) -> None:
    store = FrameStore(url, kept=tmp_path / "kept")
    settings = IngestSettings(shape=Shape(size=8, channels=1))
    cells = [Path("store:none1"), Path("store:zstd3")]
    stored = ingest(cells, root=tmp_path, cache=tmp_path / "c", settings=settings, source=store)
    assert stored.refused == 0
    assert stored.frames(cells[0]).shape == (4, 8, 8, 1)


def test_what_is_not_there_or_cannot_be_reached_is_named(url: str, tmp_path: Path) -> None:
    assert len(FrameStore("s3://cines/elsewhere", kept=tmp_path)) == 0
    with pytest.raises(UserError, match="nowhere://x"):
        FrameStore("nowhere://x", kept=tmp_path)
