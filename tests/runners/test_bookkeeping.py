"""Full disks, spikes and samples that broke a step: all are written down, none stops the run."""

import errno
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import torch
from torch import Tensor

from cinelex.core.checkpoint import Position
from cinelex.core.files import hash_json
from cinelex.runners.bookkeeping import RECENT_STEPS, Books
from cinelex.runners.record import Record
from cinelex.runners.step import StepReport
from tests.runners.line_project import LineProject, Points, line_config, trainer

START = Position(step=0, records=0, skipped=0)


def report(step: int, loss: float, *, skipped: float = 0.0) -> StepReport:
    terms: Mapping[str, Tensor] = {"contrastive": torch.tensor(loss)}
    return StepReport(
        step, torch.tensor(loss), terms, torch.tensor(1.0), torch.tensor(skipped), {}, {}, 0.1
    )


def lines(folder: Path, kind: str) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [row for row in rows if row["kind"] == kind]


def books(folder: Path, position: Position = START) -> Books:
    return Books(line_config("steps=200"), folder, position=position, sinks=())


def test_a_spike_is_found_also_by_a_run_that_went_on_just_before_it(tmp_path: Path) -> None:
    with closing(books(tmp_path)) as first:
        for step in range(1, RECENT_STEPS + 1):
            first.add(report(step, 2.0), ())
        first.flush({})
        position = first.position(RECENT_STEPS)
    with closing(books(tmp_path, position)) as again:
        again.add(report(RECENT_STEPS + 1, 19.0), ())
        again.add(report(RECENT_STEPS + 2, 21.0), ())
        again.flush({})
    assert lines(tmp_path, "spike") == [
        {"kind": "spike", "step": RECENT_STEPS + 2, "loss": 21.0, "usual": 2.0}
    ]


def test_the_samples_of_a_skipped_step_are_recorded_as_hashes(tmp_path: Path) -> None:
    class Named(LineProject):
        def identities(self, batch: Points) -> list[str]:
            return ["patient-a", "patient-b"]

    assert trainer(tmp_path, Named(spoiled=frozenset({2}))).run()
    hashes = [hash_json(name)[:16] for name in ("patient-a", "patient-b")]
    assert lines(tmp_path, "skipped") == [{"kind": "skipped", "step": 3, "samples": hashes}]
    assert "patient" not in (tmp_path / "metrics.jsonl").read_text()


def test_a_full_disk_costs_lines_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = Record(tmp_path / "metrics.jsonl", keep_bytes=0)
    record.write("step", {"step": 1})
    stream = record._file
    assert stream is not None
    take, cut = stream.write, stream.truncate

    class Full:
        """Takes half a line, and then nothing."""

        def __init__(self) -> None:
            self.taken = False

        def write(self, line: bytes) -> int:
            if self.taken:
                raise OSError(errno.ENOSPC, "No space left on device")
            self.taken = True
            return take(line[: len(line) // 2])

        def truncate(self, size: int) -> int:
            return cut(size)

    with monkeypatch.context() as patch:
        patch.setattr(record, "_file", Full())
        record.write("step", {"step": 2})
        record.write("step", {"step": 3})
    record.write("step", {"step": 4})
    record.close()
    assert [row["step"] for row in lines(tmp_path, "step")] == [1, 4]
    assert record.missed == 2
    assert capsys.readouterr().out.count("was not written") == 1


def test_a_run_is_over_when_no_validation_was_better_for_long(tmp_path: Path) -> None:
    config = line_config("steps=200", "validate_every=10", "keep_best=-lost", "patience=2")
    with closing(Books(config, tmp_path, position=START, sinks=())) as kept:
        found = []
        for step, lost in ((10, 3.0), (20, 2.0), (30, 2.5), (40, 2.1)):
            kept.validated(step, {"lost": lost})
            found.append(kept.over(step))
        assert found == [False, False, False, True]
        assert kept.best_step == 20
    with closing(books(tmp_path)) as endless:
        assert not endless.over(199)
        assert endless.over(200)
