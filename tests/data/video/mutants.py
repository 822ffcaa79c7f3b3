"""Small media files of many kinds, and what becomes of them when their headers are damaged."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CANARY = "CANARY-Jane-Doe-1961"
HEADER = 1024
"""Bytes in which most of the damage is."""
KINDS: dict[str, dict[str, Any]] = {
    "mp4": {},
    "mov": {},
    "mkv": {"codec": "ffv1", "pix_fmt": "gray", "options": {}},
    "avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {}},
    "ts": {"codec": "mpeg2video", "pix_fmt": "yuv420p", "options": {}},
    "flv": {"codec": "flv", "pix_fmt": "yuv420p", "options": {}},
    "wmv": {"codec": "wmv2", "pix_fmt": "yuv420p", "options": {}},
    "mpg": {"codec": "mpeg1video", "pix_fmt": "yuv420p", "options": {}},
}
PICTURES = ("gif", "webp", "png", "jpg", "tif", "bmp", "jp2", "ppm", "avif")
MOVING = ("gif", "webp", "tif", "avif")


def write_kinds(folder: Path, write_video: Callable[..., Path]) -> list[Path]:
    """Write one sound file of every kind."""
    levels = np.arange(20, 80, 10, dtype=np.uint8)
    frames = np.broadcast_to(levels[:, None, None, None], (6, 32, 48, 3)).copy()
    paths = [write_video(folder / f"v.{kind}", frames, **how) for kind, how in KINDS.items()]
    first, *rest = [Image.fromarray(frame) for frame in frames]
    for kind in PICTURES:
        moving: dict[str, Any] = {"save_all": True, "append_images": rest} if kind in MOVING else {}
        path = folder / f"p.{kind}"
        first.save(path, **moving)
        paths.append(path)
    return paths


def mutants(paths: list[Path], folder: Path, count: int, *, seed: int = 0) -> Iterator[Path]:
    """Yield damaged copies, one after the other; each is gone when the next one comes."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        source = paths[number % len(paths)]
        data = np.frombuffer(source.read_bytes(), np.uint8).copy()
        reach = min(len(data), HEADER if draw.random() < 0.8 else len(data))
        how = number // len(paths) % 5
        places = draw.integers(0, reach, draw.integers(1, 12))
        if how == 0:
            data[places] = draw.integers(0, 256, len(places))
        elif how == 1:
            data[places] ^= (1 << draw.integers(0, 8, len(places))).astype(np.uint8)
        elif how == 2:  # sizes and counts at their largest
            for place in places[:4]:
                data[place : place + 4] = 0xFF
        elif how == 3:
            data = data[: draw.integers(0, len(data))]
        else:
            start = int(places[0])
            data = np.concatenate([data[:start], data[start + int(draw.integers(1, 64)) :]])
        path = folder / f"{CANARY}{source.suffix}"
        path.write_bytes(data.tobytes() + CANARY.encode())
        yield path
        path.unlink()
