"""The loop never asks the device for a value: a GPU would have to catch up before it answers."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from tests.runners.line_project import line_config, trainer
from tests.runners.shared_project import SharedProject
from tests.waits import Waits


def test_the_count_sees_what_waits() -> None:
    with Waits() as waits:
        row = torch.arange(3.0)
        row[row > 1].sum().item()
        assert bool(row[0] == 0)
    assert waits.found["aten._local_scalar_dense.default"] == 2
    assert waits.found["aten.index.Tensor"] == 1


@pytest.mark.parametrize(
    "more",
    [(), ("gradient_accumulation_steps=2", "ema_decay=0.9"), ("activation_checkpointing=true",)],
)
def test_an_update_waits_for_nothing(tmp_path: Path, more: tuple[str, ...]) -> None:
    project = SharedProject()
    line, batches = trainer(tmp_path, project, line_config(*more)), project.batches(0)
    line.books.record.close()
    line.update(next(batches))
    batch = next(batches)
    with Waits() as waits:
        line.update(batch)
    assert waits.found == Counter()
