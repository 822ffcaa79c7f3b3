"""The record of this project's own runs, ``metrics.jsonl``."""

from pathlib import Path

import numpy as np

from cinelex.core.errors import UserError
from cinelex.doctor.evidence import is_number
from cinelex.doctor.logs.metric import Log, make_metrics
from cinelex.runners.record import read_rows

_VALIDATION = "validation"


def read_record(path: Path) -> Log:
    """Return the numbers of ``metrics.jsonl``; those of validations are ``validation/<name>``.

    A last line that a crash cut off is left out. null is a number that was not finite.

    Raises:
        UserError: The file is missing, a line is no JSON object, or none holds a step.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    columns: dict[str, list[tuple[float, float]]] = {}
    for row in read_rows(path):
        step = row.get("step")
        if not isinstance(step, int | float):
            continue
        prefix = f"{_VALIDATION}/" if row.get("kind") == _VALIDATION else ""
        for key, value in row.items():
            if key not in ("step", "kind") and (value is None or is_number(value)):
                number = np.nan if value is None else float(value)
                columns.setdefault(prefix + key, []).append((float(step), number))
    run = path.resolve().parent.name if path.name == "metrics.jsonl" else path.stem
    metrics = make_metrics(run, columns, source=path.name)
    if not metrics:
        raise UserError(f'{path}: no line holds a number beside a "step"')
    return Log(metrics)
