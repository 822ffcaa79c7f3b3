"""Decoded frames listed, verified, pruned and tried again from the command line."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cinelex.core.files import write_json
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import SETTINGS, IngestSettings
from cinelex.data.video.known_files import KnownFiles, Outcome, note
from cinelex.data.video.removal import keep_only
from cinelex.data.video.resize import Shape
from cinelex.data.video.store_writer import StoreWriter
from cinelex.scripts import command

OLD = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "frames" / "0123"
    with StoreWriter(folder) as writer:
        writer.add("a", np.zeros((2, 4, 4, 1), np.uint8))
    write_json(folder / SETTINGS, IngestSettings(shape=Shape(size=4, channels=1)).as_json())
    return folder


def cache(*words: object) -> int:
    return command.main(["cache", *map(str, words)])


def test_a_store_is_one_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache("list", tmp_path) == 0
    said = capsys.readouterr().out
    assert f"{store}: 1 entries" in said
    assert "all frames of 4 pixels, gray, by pyav" in said


def test_damage_is_found_and_told_by_the_exit_code(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache("verify", tmp_path) == 0
    (shard,) = store.glob("frames-*.zst")
    shard.write_bytes(b"\0" * shard.stat().st_size)
    assert cache("verify", tmp_path) == 1
    assert f"{shard}: damaged; delete it" in capsys.readouterr().out


def test_pruning_takes_what_nobody_reads_and_nothing_else(store: Path, tmp_path: Path) -> None:
    left = [store / ".frames-0-dead.u8.part", store / "frames-0-dead.u8"]
    fresh = store / ".frames-0-alive.u8.part"
    for path in (*left, fresh):
        path.write_bytes(b"x")
    for path in left:
        os.utime(path, OLD)
    earlier = tmp_path / "frames" / "0-0"
    write_json(earlier / "store.json", {"content": "", "settings": {}, "shards": {}})
    others = tmp_path / "store.json"
    write_json(others, {})
    assert cache("prune", tmp_path) == 0
    assert not any(path.exists() for path in (*left, earlier))
    assert fresh.exists()
    assert others.exists()
    assert "a" in FrameStore(store)


def test_stores_that_no_run_reads_go_when_asked_but_never_prepared_ones(
    store: Path, tmp_path: Path
) -> None:
    prepared = tmp_path / "store"
    with StoreWriter(prepared) as writer:
        writer.add("b", np.zeros((1, 4, 4, 1), np.uint8))
    os.utime(prepared, OLD)
    assert cache("prune", "--unused-days", 1, tmp_path) == 0
    assert store.exists()
    os.utime(store / SETTINGS, OLD)
    assert cache("prune", "--unused-days", 1, tmp_path) == 0
    assert not store.exists()
    assert "b" in FrameStore(prepared)


def test_what_was_refused_is_tried_again_when_asked(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note(store, [Outcome("good|1|1", "a", ""), Outcome("bad|1|1|x", "", "VideoTimeout")])
    assert cache("retry", store) == 0
    assert capsys.readouterr().out.startswith("1 videos")
    assert len(KnownFiles(store)) == 1


def test_a_folder_without_a_store_and_an_unknown_word_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cache("list", tmp_path) == 2
    assert "name the folder that data.cache is" in capsys.readouterr().err
    assert command.main(["cahce"]) == 2
    assert "did you mean cache?" in capsys.readouterr().err


def test_what_a_data_set_has_withdrawn_leaves_the_cache_too(tmp_path: Path) -> None:
    cines = {name: np.full((2, 4, 4, 1), n, np.uint8) for n, name in enumerate(("a", "b"))}
    source = tmp_path / "set" / "store"
    with StoreWriter(source) as writer:
        for name, frames in cines.items():
            writer.add(name, frames)
    digests = {name: FrameStore(source).digest(name) for name in cines}
    folder = tmp_path / "cache" / "0123"
    with StoreWriter(folder) as writer:
        for name, frames in cines.items():
            writer.add(digests[name], frames)
        writer.add("f" * 64, cines["a"])  # of a video file
    write_json(folder / SETTINGS, IngestSettings(shape=Shape(size=4, channels=1)).as_json())
    keep_only(source, pa.array(["a"], pa.large_string()))
    assert cache("prune", tmp_path / "cache") == 0
    assert len(FrameStore(folder)) == 3
    assert cache("prune", tmp_path / "cache", "--prepared", source) == 0
    assert sorted(FrameStore(folder).keys.to_pylist()) == sorted([digests["a"], "f" * 64])
    assert cache("prune", tmp_path / "cache", "--prepared", tmp_path / "nowhere") == 2
