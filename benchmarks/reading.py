"""P1, P2 and P3 as rows: decoding, the store, and the loader, beside their peers.

python -m benchmarks.reading [--quick]
"""

import statistics
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.series import Ratio, Row, main, of, once, spread
from benchmarks.video_reading import (
    CLIP,
    VIDEOS,
    Way,
    cine,
    decoders,
    in_turn,
    loaded,
    stored,
    write_h264,
)

Rates = Sequence[dict[str, float]]
PACKAGES = {
    "PyAV": "av",
    "decord": "decord",
    "torchcodec": "torchcodec",
    "numpy.memmap": "numpy",
}


def there(ways: dict[str, Way]) -> dict[str, Way]:
    """Return the ways whose library is there and loads."""
    found = {}
    for name, way in ways.items():
        try:
            way()
        except (ImportError, RuntimeError, OSError):
            continue
        found[name] = way
    return found


def ratio(rates: Rates, ours: str, other: str) -> Ratio:
    """Return how many times as fast one way is as another, over the rounds."""
    return spread([each[ours] / each[other] for each in rates])


def row(number: str, what: str, unit: str, rates: Rates, pair: tuple[str, str], goal: float) -> Row:
    """Return the row of two ways; more is better."""
    mine, theirs = (statistics.median(each[name] for each in rates) for name in pair)
    return Row(
        number=number,
        what=what,
        figure=f"{mine:,.0f} {unit}",
        beside=f"{_named(pair[1])} {theirs:,.0f}",
        ratio=ratio(rates, *pair),
        goal=goal,
        less=False,
    )


def _named(way: str) -> str:
    """Return a peer and its version."""
    package = PACKAGES.get(way)
    return way if package is None else f"{way} {version(package)}"


def same_frames(ways: dict[str, Way], read: dict[str, Way]) -> None:
    """Refuse to time ways that read other frames."""
    decoded: Any = ways["here"]()
    if "decord" in ways:
        other: Any = ways["decord"]()
        apart = np.abs(decoded[1].astype(int) - other.astype(int))
        # libraries convert from YUV with other roundings, a level or two
        assert apart.mean() < 3, f"decord's frames are others, by {apart.mean():.1f} levels"
    raw, packed = (np.asarray(read[name]()) for name in ("store, none", "store, zstd"))
    np.testing.assert_array_equal(raw, packed)


def rows(quick: bool) -> list[Row]:
    """Measure all, at 224 and, in full, at 512 pixels."""
    return [row for size in ((224,) if quick else (224, 512)) for row in _at(size, quick)]


def _at(size: int, quick: bool) -> list[Row]:
    rounds = 3 if quick else 7
    with TemporaryDirectory() as name:
        folder = Path(name)
        videos = [folder / f"{n}.mp4" for n in range(VIDEOS)]
        for number, path in enumerate(videos):
            write_h264(path, cine(number, size))
        ways, read = there(decoders(videos[0])), stored(folder, videos, size)
        same_frames(ways, read)
        decoded = in_turn(ways, rounds=rounds, each=CLIP)
        peers = list(decoded[0])[1:]
        fastest = max(peers, key=lambda way: statistics.median(r[way] for r in decoded))
        kept = in_turn(read, rounds=rounds)
        by_clock = loaded(folder, videos, size)
    what = f"16 frames of a clip, {size} px"
    found = [
        row("P1", f"decode {what}", "frames/s", decoded, ("here", fastest), 0.95),
        row("P2", f"read {what}, store", "clips/s", kept, ("store, none", "numpy.memmap"), 0.7),
        row("P2", f"read {what}, store", "clips/s", kept, ("store, none", "decord"), 20),
    ]
    ours, theirs = by_clock["loader"], by_clock["DataLoader and decord"]
    return [
        *found,
        Row(
            number="P3",
            what=f"batches of clips, {size} px, two workers, by the clock",
            figure=f"{ours:,.0f} clips/s",
            beside=f"DataLoader and {of('decord')} {theirs:,.0f}",
            ratio=once(ours / theirs),
            goal=10,
            less=False,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.reading"))
