"""What only a GPU can show; collected everywhere, run where one is."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cinelex.losses import contrastive
from cinelex.losses.contrastive import InfoNCE
from cinelex.metrics.ranking import rank_each_other
from cinelex.metrics.unit_rows import UnitRows
from cinelex.runners.feed import fed
from cinelex.runners.lending import lent
from tests.runners.line_project import LineProject

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is visible"),
]


def test_a_fed_batch_is_the_batch() -> None:
    device, count = torch.device("cuda", 0), 5
    given, plain = fed(LineProject().batches(0), device), LineProject().batches(0)
    for _ in range(count):
        one = next(given)
        assert one.batch.x.is_pinned()
        torch.testing.assert_close(one.on_device.x.cpu(), next(plain).x, rtol=0, atol=0)


def test_tiles_on_a_gpu_are_the_whole_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    study, report = F.normalize(torch.randn(2, 700, 64, device="cuda", dtype=torch.float64), dim=-1)
    group = torch.arange(700, device="cuda") % 500
    values = []
    for held in (1, 10_000):
        monkeypatch.setattr(contrastive, "HELD_WHOLE", held)
        heat = torch.tensor(0.05, device="cuda", dtype=torch.float64)
        same = {"report_group": group, "patient_group": group}
        values.append(InfoNCE()(study, report, temperature=heat, **same))
    torch.testing.assert_close(values[0], values[1])


def test_ranks_on_a_gpu_are_those_of_the_cpu() -> None:
    rows = torch.randn(2, 400, 32)
    group = torch.arange(400)
    here, there = (
        rank_each_other(
            UnitRows(one[0], what="query"),
            UnitRows(one[1], what="item"),
            query_group=group,
            item_group=group,
        )
        for one in (rows, rows.cuda())
    )
    for mine, theirs in zip(here, there, strict=True):
        assert (mine.rank == theirs.rank).all()


def test_a_lent_model_needs_room_for_a_block_at_a_time() -> None:
    model = nn.Module()
    model.blocks = nn.ModuleList(nn.Linear(1024, 1024) for _ in range(8))
    rows, device = torch.randn(2, 1024), torch.device("cuda", 0)
    there = rows.to(device)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    with lent(model, device), torch.no_grad():
        for block in model.blocks:
            there = block(there)
    needed = torch.cuda.max_memory_allocated() - before
    assert needed < sum(weight.nbytes for weight in model.parameters()) / 4
    with torch.no_grad():
        for block in model.blocks:
            rows = block(rows)
    torch.testing.assert_close(there.cpu(), rows, rtol=1e-2, atol=1e-2)
