"""Cosines on the grid are exact, whatever the order of their sums."""

import pytest
import torch
from torch.nn import functional as F

from cinelex.metrics import unit_rows
from cinelex.metrics.unit_rows import UnitRows
from tests.metrics.towers import random_towers


def test_scores_do_not_depend_on_the_shape_of_the_product() -> None:
    study, report, _ = random_towers(studies=60, reports=50, dim=384)
    rows, columns = UnitRows(study, what="study").exact, UnitRows(report, what="report").exact
    whole = rows @ columns.T
    assert torch.equal(whole, torch.stack([(row * columns).sum(dim=1) for row in rows]))
    assert torch.equal(whole, rows.flip(1) @ columns.flip(1).T)


def test_rounding_to_the_grid_moves_no_cosine_by_more_than_a_ten_millionth() -> None:
    study, report, _ = random_towers(studies=300, reports=200, dim=384)
    exact = F.normalize(study.double(), dim=1) @ F.normalize(report.double(), dim=1).T
    ours = UnitRows(study, what="study").exact @ UnitRows(report, what="report").exact.T
    assert (ours - exact).abs().max() < 1e-7


@pytest.mark.parametrize("held", [0, unit_rows.HELD_CELLS])
@pytest.mark.parametrize("width", [1, 2, 5, 384])
def test_rows_are_the_same_alone_in_part_and_together(
    width: int, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_rows, "HELD_CELLS", held)
    drawn = torch.randn(2500, width, generator=torch.Generator().manual_seed(0))
    rows, some = UnitRows(drawn, what="row"), torch.tensor([2400, 3, 3])
    alone, parts = rows.at(some), torch.cat(list(rows.parts()))
    assert torch.equal(parts, rows.exact)
    assert torch.equal(alone, rows.exact[some])
    assert torch.equal(rows.at(some), alone)
    assert torch.equal(rows.single, rows.exact.float())
    assert torch.equal(rows.exact * 2**26, (rows.exact * 2**26).round())
    torch.testing.assert_close(rows.exact, F.normalize(drawn.double(), dim=1), rtol=0, atol=8e-9)
