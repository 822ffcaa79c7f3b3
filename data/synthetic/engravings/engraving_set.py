"""Make a set of engravings on disk: PNG files and a CSV manifest, cached by its settings."""

import csv
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from cinelex.core.files import hash_json, write_json, write_whole
from cinelex.core.folders import make_once
from cinelex.core.progress import progress
from cinelex.core.randomness import numpy_generator
from cinelex.data.synthetic.engravings.descriptions import describe
from cinelex.data.synthetic.engravings.drawing import draw_engraving
from cinelex.data.synthetic.engravings.scene import Scene, draw_scene

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
    """Make the set unless it is there, and return its manifest.csv.

    Args:
        settings: What to make.
        folder: Where sets are kept; each has a subfolder named by the hash of its settings.
    """
    name = f"engravings-{hash_json({'format': FORMAT, **asdict(settings)})[:16]}"
    return make_once(folder / name, lambda partial: _make(settings, partial)) / "manifest.csv"


def _make(settings: EngravingSetSettings, folder: Path) -> None:
    """Draw all engravings into an empty folder."""
    (folder / "pictures").mkdir()
    splits = [split for split in ("train", "val", "test") for _ in range(getattr(settings, split))]
    text, used = io.StringIO(), set[str]()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, split in enumerate(progress(splits, total=len(splits), what="engravings")):
        scene, report = _new_scene(settings, number, used)
        used.add(report)
        draw = numpy_generator(settings.seed, "engraving", number)
        path = Path("pictures") / f"engraving-{number:06d}.png"
        Image.fromarray(draw_engraving(scene, draw, size=settings.size)).save(folder / path)
        writer.writerow(
            {
                "study_id": path.stem,
                "video_path": path.as_posix(),
                "report": report,
                "split": split,
                "scene": json.dumps(scene.to_json()),
            }
        )
    write_json(folder / "settings.json", {"format": FORMAT, **asdict(settings)})
    write_whole(folder / "manifest.csv", text.getvalue())


def _new_scene(settings: EngravingSetSettings, number: int, used: set[str]) -> tuple[Scene, str]:
    """Return a scene and a description whose text is new, if one turns up."""
    for attempt in range(ATTEMPTS):
        draw = numpy_generator(settings.seed, "scene", number, attempt)
        scene = draw_scene(draw)
        report = describe(scene, draw)
        if report not in used:
            break
    return scene, report
