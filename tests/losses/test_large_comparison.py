"""Losses that weigh negatives, of many studies: tile by tile equals the whole table."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cinelex.losses import BY_AFFINITY, NEGATIVES, contrastive, tiles
from cinelex.losses.affinity import mixed_affinity
from cinelex.losses.comparison import ComparisonLoss, compare, off_diagonal
from cinelex.losses.large_comparison import LargeComparison
from cinelex.losses.negative_weights import diversity
from cinelex.losses.order_statistics import quantiles
from tests.losses.comparisons import unit_rows

STUDIES = 150
WAYS: dict[str, tuple[str, dict[str, object]]] = {
    "infonce": ("infonce", {}),
    "smoothed": ("infonce", {"label_smoothing": 0.2}),
    "debias": ("debias", {"sharpness": 6.0, "threshold": 0.1}),
    "normalised": ("debias", {"sharpness": 6.0, "threshold": 0.1, "normalise": True}),
    "decoupled": ("bandpass", {"low": -0.2, "high": 0.4, "form": "decoupled"}),
    "modulated": ("bandpass", {"low": -0.2, "high": 0.4, "form": "modulated", "strength": 0.7}),
    "adaptive": ("adaptive_bandpass", {}),
    "controlled": ("adaptive_bandpass", {"effective_share": 0.4}),
    "hard": ("hard_negatives", {"hardness": 0.3, "positive_prior": 0.01}),
    "debiased": ("hard_negatives", {}),
    "adnce": ("adnce", {"width": 0.3}),
    "percentiles": ("percentiles", {"low": 0.1, "high": 0.9}),
    "eliminate": ("false_negatives", {"threshold": 0.3}),
    "attract": ("false_negatives", {"threshold": 0.3, "treatment": "attract"}),
    "soft": ("soft_targets", {}),
    "moving": ("moving_average", {"studies": STUDIES}),
}
FLOAT32_EDGES = ("adaptive", "controlled")
"""Their quantiles are single numbers of single precision."""


def measure(way: str, dtype: torch.dtype, *, temperature: float, held: int) -> dict[str, Tensor]:
    """Return a loss, its gradients and the diversity of its weights, tables up to ``held``."""
    rows = unit_rows(STUDIES, 1, 12)
    leaves = {
        "study": rows.to(dtype),
        "report": F.normalize(rows + 0.7 * unit_rows(STUDIES, 2, 12), dim=1).to(dtype),
        "temperature": torch.tensor(temperature, dtype=dtype),
    }
    leaves = {name: leaf.requires_grad_() for name, leaf in leaves.items()}
    name, options = WAYS[way]
    teacher = unit_rows(STUDIES, 3, 12).to(dtype), unit_rows(STUDIES, 4, 12).to(dtype)
    affinity = mixed_affinity(*teacher, alpha=0.6) if name in BY_AFFINITY else None
    loss: ComparisonLoss = NEGATIVES[name](**options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrastive, "HELD_WHOLE", held)
        patch.setattr(tiles, "TILE_CELLS", {"cpu": 1})
        patch.setattr(tiles, "KEPT_BYTES", 0)
        compared = compare(**leaves, index=torch.arange(STUDIES), affinity=affinity)
        assert isinstance(compared, LargeComparison) == (not held)
        scored = loss(compared, progress=0.5)
        gradients = torch.autograd.grad(3 * scored.loss, list(leaves.values()))
        found = {"loss": scored.loss.detach(), **dict(zip(leaves, gradients, strict=True))}
        if scored.log_weight is not None:
            found |= diversity(scored.log_weight)
    if isinstance(loss, nn.Module):
        found |= dict(loss.named_buffers())
    return found


@pytest.mark.parametrize("way", list(WAYS))
def test_tiles_equal_the_table_in_double_precision(way: str) -> None:
    found = measure(way, torch.float64, temperature=0.07, held=0)
    expected = measure(way, torch.float64, temperature=0.07, held=STUDIES)
    tolerance = (1e-5, 1e-7) if way in FLOAT32_EDGES else (1e-9, 1e-12)
    torch.testing.assert_close(found, expected, rtol=tolerance[0], atol=tolerance[1])


@pytest.mark.parametrize("way", list(WAYS))
def test_single_precision_at_scale_100_stays_at_the_value_of_double(way: str) -> None:
    found = measure(way, torch.float32, temperature=0.01, held=0)
    expected = measure(way, torch.float64, temperature=0.01, held=STUDIES)
    for name in ("loss", "study", "report", "temperature"):
        error = (found[name].double() - expected[name]).norm()
        assert error <= 1e-4 * max(0.1, float(expected[name].norm())), name


def test_quantiles_of_tiles_are_those_of_all_cells() -> None:
    rows = unit_rows(STUDIES, 5).float()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrastive, "HELD_WHOLE", 0)
        large = compare(rows, rows, temperature=torch.tensor(0.1), index=torch.arange(STUDIES))
    assert isinstance(large, LargeComparison)
    shares = torch.tensor([0.0, 0.013, 0.5, 0.95, 1.0], dtype=torch.float64)
    expected = torch.quantile(off_diagonal(rows @ rows.T).flatten(), shares.float())
    torch.testing.assert_close(quantiles(large.cosines(), shares), expected, rtol=0, atol=3e-7)
