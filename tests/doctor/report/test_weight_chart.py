"""The page draws the weights of the loss terms where one of them moved."""

import json
from pathlib import Path

from cinelex.doctor.report.charts import course_charts
from cinelex.doctor.run_files import read_run

TITLE = "Weights of the loss terms"


def titles(folder: Path, weights: list[float]) -> list[str]:
    rows = [
        {"kind": "step", "step": step, "loss": 1.0, "weight/a": 2.0, "weight/b": weight}
        for step, weight in enumerate(weights, start=1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [chart.title for chart in course_charts(read_run(folder))]


def test_weights_that_moved_are_drawn_and_others_are_not(tmp_path: Path) -> None:
    assert TITLE in titles(tmp_path, [1.0, 0.5])
    assert TITLE not in titles(tmp_path, [1.0, 1.0])
