"""Counts in single precision, mended where it cannot tell, equal those in double precision."""

import pytest
import torch

from cinelex.metrics import counting
from cinelex.metrics.counting import OwnPairs, counts_at_or_above
from cinelex.metrics.unit_rows import UnitRows


def towers(spread: float) -> tuple[UnitRows, UnitRows]:
    """Return 40 queries and 30 items; the smaller the spread, the nearer all scores to 1."""
    random = torch.Generator().manual_seed(3)
    drawn = torch.randn(70, 16, generator=random, dtype=torch.float64)
    rows = 1 + spread * drawn
    return UnitRows(rows[:40], what="query"), UnitRows(rows[40:], what="item")


def pairs_of(query: UnitRows, gallery: UnitRows) -> OwnPairs:
    """Pair every query with one item, and every third with another one."""
    places = torch.tensor(
        [(row, (7 * row + more) % 30) for row in range(40) for more in range(1 + (row % 3 == 0))]
    )
    owner, item = places.T.contiguous()
    return OwnPairs(query=owner, item=item, score=(query.at(owner) * gallery.at(item)).sum(1))


@pytest.mark.parametrize("spread", [1.0, 1e-3, 3e-4, 0.0], ids=["apart", "near", "nearer", "equal"])
@pytest.mark.parametrize("share", [0.0, 2.0], ids=["whole tiles again", "cell by cell"])
def test_counts_equal_double_precision(
    spread: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "DOUBTFUL_SHARE", share)
    monkeypatch.setattr(counting, "MIN_ROWS", 7)
    monkeypatch.setattr(counting, "TILE_CELLS", {"cpu": 1})
    query, gallery = towers(spread)
    pairs = pairs_of(query, gallery)
    exact = query.exact @ gallery.exact.T
    by_query, by_item = counts_at_or_above(query, gallery, pairs)
    wanted = [
        int((exact[row] >= own).sum()) for row, own in zip(pairs.query, pairs.score, strict=True)
    ]
    assert by_query.tolist() == wanted
    wanted = [
        int((exact[:, item] >= own).sum())
        for item, own in zip(pairs.item, pairs.score, strict=True)
    ]
    assert by_item.tolist() == wanted


def test_single_precision_alone_would_be_wrong() -> None:
    query, gallery = towers(3e-4)
    rounded = query.single @ gallery.single.T
    exact = query.exact @ gallery.exact.T
    assert ((rounded[:, :1] >= rounded) != (exact[:, :1] >= exact)).any()


def test_what_training_allows_to_be_rounded_is_given_back() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        query, gallery = towers(1.0)
        counts_at_or_above(query, gallery, pairs_of(query, gallery))
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
