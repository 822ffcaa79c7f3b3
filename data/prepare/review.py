"""The page on which a person approves or rejects masks: one file, no server, no network."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader

from cinelex.core.files import write_whole
from cinelex.data.prepare.decide import PENDING

TEMPLATE = "review.jinja"
SHOWN = ("key", "confidence", "source", "doubt", "doppler", "rows", "columns", "frames", "preview")
DOUBTS = {
    "letters": "something like letters stood in the picture and was cut out",
    "shape": "the visible area is not a clean sector, disc or rectangle",
    "header": "the header says that the picture is elsewhere",
}


def write_review(
    path: Path, decided: pd.DataFrame, decisions: Mapping[str, str], *, max_items: int
) -> int:
    """Write the page of the masks that wait, the least certain first; return how many wait.

    Nothing of a file but the masked preview, the key, and how the mask was found is on it. The
    decisions of earlier pages go along, so that what is downloaded replaces the old file.
    """
    waiting = decided[decided["decision"] == PENDING].sort_values(["confidence", "key"])
    shown = waiting.head(max_items)
    items = [
        {
            "key": key,
            "confidence": f"{confidence:.2f}",
            "source": source,
            "why": DOUBTS.get(doubt, ""),
            "doppler": bool(doppler),
            "size": f"{int(columns)} × {int(rows)}, {int(frames)} frames",
            "picture": base64.b64encode(preview or b"").decode(),
        }
        for key, confidence, source, doubt, doppler, rows, columns, frames, preview in zip(
            *(shown[name] for name in SHOWN), strict=True
        )
    ]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True
    )
    page = environment.get_template(TEMPLATE)
    write_whole(path, page.render(items=items, earlier=dict(decisions), waiting=len(waiting)))
    return len(waiting)
