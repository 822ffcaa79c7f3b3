"""Two processes with unequal parts of a batch equal one process with all of it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.losses.global_batch_worker import STUDIES, WEIGHTED, WEIGHTS, measure
from tests.ranks import PATIENCE_S, run_on_ranks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE_S)]

Found = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two ranks wrote what they measured."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    run_on_ranks("tests.losses.global_batch_worker", str(folder), world=2)
    return folder


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)], ids=str
)
def test_values_and_gradients_equal_those_of_one_process(
    folder: Path, dtype: torch.dtype, tolerance: float
) -> None:
    """float64 is the proof; float32 sums differ from processor to processor by 1.4e-6 and more."""
    alone = measure(slice(0, STUDIES), dtype)
    assert {name for name in alone if "/" not in name} == {*WEIGHTS, "total", "chance"}
    for rank in (0, 1):
        name = f"{rank}-{str(dtype).removeprefix('torch.')}.safetensors"
        torch.testing.assert_close(load_file(folder / name), alone, rtol=tolerance, atol=tolerance)


def test_every_loss_moves_its_own_parameters() -> None:
    alone = measure(slice(0, STUDIES), torch.float64)
    moved = {
        name: sorted(
            key.removeprefix(f"{name}/")
            for key, gradient in alone.items()
            if key.startswith(f"{name}/") and gradient.abs().max() > 1e-6
        )
        for name in WEIGHTS
    }
    shared = ["shared.bias", "shared.weight"]
    assert moved == {
        "out": ["log_temperature", *shared],
        "in": ["log_temperature", *shared],
        "siglip": ["bias", "log_temperature", *shared],
        "out_by_tiles": ["log_temperature", *shared],
        "in_by_tiles": ["log_temperature", *shared],
        "siglip_by_tiles": ["bias", "log_temperature", *shared],
        **{f"{name}_by_tiles": ["log_temperature", *shared] for name in WEIGHTED},
        "patch_contrastive": ["log_temperature", *shared],
        "captioning": [*shared, "to_vocab.bias", "to_vocab.weight"],
        "masked_modeling": ["to_tubelet.bias", "to_tubelet.weight"],
        "descriptors": ["log_temperature", *shared],
        "parameters": shared,
        "response": shared,
        "facts": shared,
    }
