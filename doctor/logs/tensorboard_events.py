"""TensorBoard event files, read by TensorBoard's own reader."""

import math
from pathlib import Path
from typing import TYPE_CHECKING

from cinelex.core.errors import UserError
from cinelex.doctor.logs.metric import Log, make_metrics

if TYPE_CHECKING:
    from tensorboard.compat.proto import event_pb2

Rows = dict[str, list[tuple[float, float]]]


def is_event_file(path: Path) -> bool:
    """Whether the file is called as TensorBoard calls its files."""
    return "tfevents" in path.name


def read_event_file(path: Path) -> Log:
    """Return the scalars of one event file; the run is called as its folder.

    A restart writes steps again: what comes later in the file counts. A file cut off by a crash is
    read up to there.

    Raises:
        UserError: The file is missing, is no event file, or holds no scalar.
    """
    # here, because only those who read logs have it
    from tensorboard.backend.event_processing import event_file_loader

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    rows: Rows = {}
    skipped: set[str] = set()
    events = 0
    for event in event_file_loader.EventFileLoader(str(path)).Load():
        events += 1
        _add(event, rows, skipped)
    if not events:
        raise UserError(f"{path}: not a TensorBoard event file, or cut off at its start")
    columns = {tag: _unrepeated(points) for tag, points in rows.items()}
    found = make_metrics(path.resolve().parent.name, columns, source=path.name)
    if not found:
        raise UserError(f"{path}: holds no scalar; log some with add_scalar")
    left_out = f"{path.name}: tags that hold no scalars, left out: {len(skipped)}."
    return Log(found, notes=(left_out,) if skipped else ())


def _add(event: "event_pb2.Event", rows: Rows, skipped: set[str]) -> None:
    from tensorboard.util import tensor_util

    for value in event.summary.value:
        if not value.HasField("tensor"):
            skipped.add(value.tag)
            continue
        array = tensor_util.make_ndarray(value.tensor)
        if array.size != 1 or array.dtype.kind not in "fiu":
            skipped.add(value.tag)
            continue
        rows.setdefault(value.tag, []).append((float(event.step), float(array.reshape(()))))


def _unrepeated(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return steps and values, without what a restart at an earlier step wrote again."""
    kept: list[tuple[float, float]] = []
    earliest = math.inf
    for step, value in reversed(points):
        if step < earliest:
            kept.append((step, value))
            earliest = step
    return kept[::-1]
