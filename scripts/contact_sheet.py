"""Draw one synthetic study per class, several frames of each view with the report under it."""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib as mpl
import numpy as np

from cinelex.core.randomness import keyed_seed, numpy_generator
from cinelex.data.synthetic.cines.cine import CinePlan, add_noise, render_cine
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.views import VIEWS, View

mpl.use("Agg")
from matplotlib import pyplot  # noqa: E402

CLASSES: Final = {
    "normal": Findings({}, "right", 3, False, False, False, False),
    "left main": Findings({"left_main": 70}, "right", 3, False, False, False, False),
    "LAD": Findings({"proximal_lad": 80, "d1": 60}, "right", 3, False, False, False, False),
    "LCX": Findings({"distal_lcx": 70, "om1": 50}, "right", 3, False, False, False, False),
    "RCA": Findings({"mid_rca": 90}, "right", 3, False, False, False, False),
    "occlusion": Findings({"mid_lad": 100, "mid_rca": 30}, "right", 3, False, True, False, False),
    "multi-vessel": Findings(
        {"proximal_lad": 50, "om2": 80, "distal_rca": 60, "pda": 70}, "right", 3, False, True,
        False, False,
    ),
    "left dominance": Findings({"pda": 80, "plv": 50}, "left", 3, False, False, False, False),
    "slow flow": Findings({"mid_lad": 40}, "right", 2, False, False, False, False),
    "tortuous": Findings({"proximal_lcx": 60}, "right", 3, True, False, False, False),
    "wires and pacemaker": Findings({"proximal_rca": 70}, "right", 3, False, True, True, True),
}  # fmt: skip
"""What each row of the sheet shows."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the sheet and write it as PNG."""
    defaults = StudySetSettings()
    parser = argparse.ArgumentParser(prog="contact_sheet", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="PNG to write")
    parser.add_argument("--size", type=int, default=defaults.size, help="pixels of a frame")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="decides every draw")
    parser.add_argument("--difficulty", type=float, default=defaults.difficulty, help="0 to 1")
    parser.add_argument("--shown", type=int, default=5, help="frames of a view on the sheet")
    parser.add_argument("--classes", nargs="*", choices=list(CLASSES), default=list(CLASSES))
    chosen = parser.parse_args(arguments)
    settings = StudySetSettings(size=chosen.size, seed=chosen.seed, difficulty=chosen.difficulty)
    draw_sheet(settings, chosen.classes, chosen.output, shown=chosen.shown)
    sys.stderr.write(f"wrote {chosen.output}\n")


def draw_sheet(
    settings: StudySetSettings, names: Sequence[str], output: Path, *, shown: int
) -> None:
    """Draw one row per class: `shown` frames of two left and two right views, then the report."""
    views = [*VIEWS["left"][:2], *VIEWS["right"][:2]]
    height = 2.0 + 0.42
    figure, axes = pyplot.subplots(
        len(names), 1, figsize=(2.0 * 2 * shown, 2 * height * len(names)), squeeze=False
    )
    for axis, name in zip(axes[:, 0], names, strict=True):
        rows = [_strip(name, view, settings, shown) for view in views]
        picture = np.vstack([np.hstack(rows[:2]), np.hstack(rows[2:])])
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="bicubic")
        report = write_report(CLASSES[name], numpy_generator(settings.seed, "sheet", name))
        axis.set_title(f"{name}: {', '.join(map(str, views))}", fontsize=13, loc="left")
        axis.set_xlabel("\n".join(textwrap.wrap(report, 150)), fontsize=13, loc="left")
        axis.set_xticks([])
        axis.set_yticks([])
    figure.tight_layout()
    figure.savefig(output, dpi=60)
    pyplot.close(figure)


def _strip(name: str, view: View, settings: StudySetSettings, shown: int) -> np.ndarray:
    """Return evenly spaced frames of one view of the class, side by side."""
    plan = CinePlan(
        CLASSES[name],
        view,
        patient_seed=keyed_seed(settings.seed, "sheet", name, "patient"),
        study_seed=keyed_seed(settings.seed, "sheet", name, "lesions"),
        view_seed=keyed_seed(settings.seed, "sheet", name, str(view)),
    )
    cine = add_noise(render_cine(plan, settings), plan, settings)
    chosen = np.linspace(0, settings.frames - 1, shown).round().astype(int)
    return np.hstack(list(cine[chosen]))


if __name__ == "__main__":
    main()
