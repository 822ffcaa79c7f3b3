"""A process that renders studies: one JSON object in per study, one line of JSON rows out.

It imports neither torch nor the program that started it, so it is at work within half a second.
"""

import json
import sys
from pathlib import Path

import numpy as np

from cinelex.data.synthetic.cines.cine import add_noise, render_cine
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import StudyPlan
from cinelex.data.synthetic.cines.video import decode_grey, encode_grey, spoil

Row = dict[str, str]


def write_study(plan: StudyPlan, settings: StudySetSettings, folder: Path) -> list[Row]:
    """Write the videos of one study under `folder`/videos and return its manifest rows."""
    rows = []
    for place, (cine, corrupted) in enumerate(zip(plan.cines, plan.corrupted, strict=True)):
        clean = render_cine(cine, settings)
        encoded = encode_grey(add_noise(clean, cine, settings))
        content = encoded.content
        noise_mse = ""
        if corrupted:
            content = spoil(content, np.random.default_rng((cine.view_seed, 4)))
        else:
            error = decode_grey(encoded) * np.float32(1 / 255) - clean
            noise_mse = f"{float(np.square(error).mean()):.4e}"
        path = Path("videos") / f"{plan.id}-{place}.mp4"
        (folder / path).write_bytes(content)
        rows.append(
            {
                "study_id": plan.id,
                "patient_id": plan.patient_id,
                "video_path": path.as_posix(),
                "report": plan.report,
                "split": plan.split,
                "view": str(cine.view),
                "noise_mse": noise_mse,
                "findings": json.dumps(plan.findings.to_json()),
            }
        )
    return rows


def main() -> None:
    """Read the settings, the folder and the studies from stdin until it ends, then render."""
    task = json.load(sys.stdin)
    settings = StudySetSettings(**task["settings"])
    for record in task["studies"]:
        rows = write_study(StudyPlan.from_json(record), settings, Path(task["folder"]))
        sys.stdout.write(json.dumps(rows) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
