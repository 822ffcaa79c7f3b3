"""Make a set of engravings on disk: PNG files and a CSV manifest, cached by its settings."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from cinelex.core.csv_text import csv_text
from cinelex.core.files import write_whole
from cinelex.core.progress import progress
from cinelex.core.randomness import numpy_generator
from cinelex.data.synthetic.engravings.descriptions import describe
from cinelex.data.synthetic.engravings.drawing import draw_engraving
from cinelex.data.synthetic.engravings.scene import Scene, draw_scene
from cinelex.data.synthetic.sets import make_set

FORMAT: Final = 1
"""Goes up whenever the same settings give other files."""
COLUMNS: Final = ("study_id", "video_path", "report", "split", "scene")
ATTEMPTS: Final = 50
"""How often a scene is drawn anew to get a description that no earlier engraving has."""


@dataclass(frozen=True, kw_only=True)
class EngravingSetSettings:
    """Settings of one set of engravings; equal settings give the same pixels and descriptions."""

    train: int
    """Engravings in the split `train`."""
    val: int
    """Engravings in the split `val`."""
    test: int
    """Engravings in the split `test`."""
    size: int
    """Rows and columns of a picture, in pixels."""
    seed: int
    """Decides every draw."""

    def __post_init__(self) -> None:
        if self.size < 32:
            raise ValueError(f"size must be at least 32, found {self.size}")
        if min(self.train, self.val, self.test) < 0:
            raise ValueError("numbers of engravings must not be negative")


def make_engraving_set(settings: EngravingSetSettings, folder: Path) -> Path:
    """Make the set below ``folder`` unless it is there, and return its manifest.csv."""

    def make(partial: Path) -> None:
        (partial / "pictures").mkdir()
        rows, used = [], set[str]()
        counts = {"train": settings.train, "val": settings.val, "test": settings.test}
        splits = [split for split, count in counts.items() for _ in range(count)]
        for number, split in enumerate(progress(splits, total=len(splits), what="engravings")):
            scene, report = _new_scene(settings, number, used)
            used.add(report)
            draw = numpy_generator(settings.seed, "engraving", number)
            name = f"engraving-{number:06d}"
            path = f"pictures/{name}.png"
            Image.fromarray(draw_engraving(scene, draw, size=settings.size)).save(partial / path)
            rows.append((name, path, report, split, json.dumps(asdict(scene))))
        write_whole(partial / "manifest.csv", csv_text([COLUMNS, *rows]))

    return make_set("engravings", settings, folder, version=FORMAT, make=make) / "manifest.csv"


def _new_scene(settings: EngravingSetSettings, number: int, used: set[str]) -> tuple[Scene, str]:
    """Return a scene and a description whose text is new, if one turns up."""
    for attempt in range(ATTEMPTS):
        draw = numpy_generator(settings.seed, "scene", number, attempt)
        scene = draw_scene(draw)
        report = describe(scene, draw)
        if report not in used:
            break
    return scene, report
