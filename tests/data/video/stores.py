"""Stores that tests make."""

from pathlib import Path

from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.store import FrameStore, ingest

SETTINGS = IngestSettings(shape=Shape(size=8, channels=1), stored_frames=4)


def take_in(
    videos: list[Path], settings: IngestSettings = SETTINGS, workers: int = 1
) -> FrameStore:
    root = videos[0].parent
    cache = root.parent / "cache"
    return ingest(videos, root=root, cache=cache, settings=settings, workers=workers)


def stores(videos: list[Path]) -> list[Path]:
    """Return the finished stores."""
    folders = (videos[0].parent.parent / "cache").iterdir()
    return sorted(folder for folder in folders if not folder.name.startswith("."))
