"""Losses made tile by tile equal the whole matrix, in value and gradient, whatever the tiles."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses import contrastive, tiles
from cinelex.losses.contrastive import Form, InfoNCE
from cinelex.losses.sigmoid import SigLIP

STUDIES = 150
WAYS: dict[str, Callable[..., Tensor]] = {
    "out": InfoNCE(form="out"),
    "in": InfoNCE(form="in"),
    "smoothed": InfoNCE(label_smoothing=0.2),
    "siglip": SigLIP(),
}
Found = dict[str, Tensor]


def rows(seed: int, dtype: torch.dtype) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randn(STUDIES, 12, generator=random, dtype=torch.float64)
    return F.normalize(drawn, dim=1).to(dtype)


def groups() -> dict[str, Tensor]:
    """Give one study in two a report of others, and one in three a patient with other reports."""
    random = torch.Generator().manual_seed(9)
    drawn = torch.randint(0, 100, (2, STUDIES), generator=random)
    return {"report_group": drawn[0], "patient_group": drawn[1] + 7}


def measure(way: str, dtype: torch.dtype, *, temperature: float) -> Found:
    """Return the loss and its gradients."""
    study, report = rows(1, dtype), F.normalize(rows(1, dtype) + 0.7 * rows(2, dtype), dim=1)
    leaves = {"study": study, "report": report, "temperature": torch.tensor(temperature).to(dtype)}
    if way == "siglip":
        leaves["bias"] = torch.tensor(-3.0, dtype=dtype)
    leaves = {name: leaf.requires_grad_() for name, leaf in leaves.items()}
    loss = WAYS[way](**leaves, **groups())
    gradients = torch.autograd.grad(3 * loss, list(leaves.values()))
    return {"loss": loss.detach(), **dict(zip(leaves, gradients, strict=True))}


@pytest.fixture(params=[0, 10**9], ids=["made again", "kept"])
def in_tiles(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut every matrix into tiles of 64 rows, of which the last is smaller."""
    monkeypatch.setattr(contrastive, "HELD_WHOLE", 0)
    monkeypatch.setattr(tiles, "TILE_CELLS", {"cpu": 1})
    monkeypatch.setattr(tiles, "KEPT_BYTES", request.param)


def whole(way: str, dtype: torch.dtype, *, temperature: float) -> Found:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrastive, "HELD_WHOLE", STUDIES)
        return measure(way, dtype, temperature=temperature)


@pytest.mark.usefixtures("in_tiles")
@pytest.mark.parametrize("way", list(WAYS))
def test_tiles_equal_the_whole_matrix_in_double_precision(way: str) -> None:
    found = measure(way, torch.float64, temperature=0.07)
    torch.testing.assert_close(
        found, whole(way, torch.float64, temperature=0.07), rtol=1e-9, atol=1e-12
    )


@pytest.mark.usefixtures("in_tiles")
@pytest.mark.parametrize("way", list(WAYS))
def test_single_precision_at_scale_100_stays_at_the_value_of_double(way: str) -> None:
    found = measure(way, torch.float32, temperature=0.01)
    expected = whole(way, torch.float64, temperature=0.01)
    for name, value in expected.items():
        error = (found[name].double() - value).norm()
        assert error <= 2e-5 * max(1e-3, float(value.norm())), name


@pytest.mark.usefixtures("in_tiles")
@pytest.mark.parametrize("form", ["out", "in"])
def test_no_tile_holds_the_whole_matrix(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 0
    add = tiles._Running.add

    def watch(
        self: tiles._Running, rows: slice, over_rows: Tensor, columns: Tensor, scratch: Tensor
    ) -> None:
        nonlocal largest
        largest = max(largest, over_rows.numel(), columns.numel())
        add(self, rows, over_rows, columns, scratch)

    monkeypatch.setattr(tiles._Running, "add", watch)
    measure(form, torch.float64, temperature=0.1)
    assert largest == 64 * STUDIES


@pytest.mark.usefixtures("in_tiles")
def test_numbers_of_half_precision_are_compared_in_single_under_autocast() -> None:
    study, report = rows(1, torch.bfloat16).requires_grad_(), rows(2, torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        loss = InfoNCE()(study, report, temperature=torch.tensor(0.01), **groups())
    expected = InfoNCE()(
        study.double(), report.double(), temperature=torch.tensor(0.01).double(), **groups()
    )
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)
