"""Stores that tests make."""

from pathlib import Path
from typing import Any

import pytest

import cinelex.data.video.decode_all
from cinelex.data.video.ingest import IngestSettings, ingest
from cinelex.data.video.resize import Shape
from cinelex.data.video.videos import StoredVideos

SETTINGS = IngestSettings(shape=Shape(size=8, channels=1), stored_frames=4)


def take_in(
    videos: list[Path], settings: IngestSettings = SETTINGS, workers: int = 1
) -> StoredVideos:
    root = videos[0].parent
    cache = root.parent / "cache"
    return ingest(videos, root=root, cache=cache, settings=settings, workers=workers)


def stores(videos: list[Path]) -> list[Path]:
    """Return the stores."""
    folders = (videos[0].parent.parent / "cache").iterdir()
    return sorted(folder for folder in folders if folder.is_dir())


class Decoding:
    """Stands for the decoding of a video: notes what is asked, and fails where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.fails: dict[str, list[BaseException]] = {}
        self._store = vars(cinelex.data.video.decode_all)["_store"]
        monkeypatch.setattr(cinelex.data.video.decode_all, "_store", self)
        monkeypatch.setattr(cinelex.data.video.decode_all, "BACK_OFF_S", ())

    def __call__(self, item: Any, *rest: Any) -> None:
        self.asked.append(item.name)
        failures = self.fails.get(item.name)
        if failures:
            raise failures.pop(0)
        self._store(item, *rest)
