"""The meter: operations counted by hand, what is not counted, and speeds in the record."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cinelex.models.video_vit import VideoViT
from cinelex.runners.feed import ahead
from cinelex.runners.operations import ModelOperations
from cinelex.runners.parallel import activation_checkpointing
from tests.runners.line_project import line_config, trainer
from tests.runners.shared_project import SharedProject

WIDTH, DEPTH, CLIPS, TOKENS, PIXELS = 16, 2, 3, 8, 2 * 4 * 4
STEM = 2 * TOKENS * PIXELS * WIDTH
"""Once forward."""
BLOCK = 2 * TOKENS * 12 * WIDTH**2 + 2 * 2 * TOKENS**2 * WIDTH
"""Four matrices of attention and two of four widths, then scores and their sums."""
BY_HAND = CLIPS * (2 * STEM + DEPTH * 3 * BLOCK)
"""The stem's input needs no gradient, so that its backward pass is one product, not two."""


def counted(run: Callable[[], Tensor], *, twice: bool = False) -> float:
    with ModelOperations(twice=twice) as found:
        run().sum().backward()
    return found.total


def encoder() -> tuple[nn.Module, Tensor]:
    tower = VideoViT(
        width=WIDTH, frames=4, size=8, channels=1, depth=DEPTH, heads=2, tubelet=(2, 4, 4)
    )
    return tower, torch.rand(CLIPS, 1, 4, 8, 8)


def test_a_video_tower_costs_what_its_matrices_say() -> None:
    tower, clips = encoder()
    assert counted(lambda: tower(clips)) == BY_HAND


def test_what_is_run_again_for_its_gradient_is_counted_once() -> None:
    tower, clips = encoder()
    activation_checkpointing(tower)
    assert counted(lambda: tower(clips)) == BY_HAND

    def two_passes() -> Tensor:
        with torch.no_grad():
            tower(clips)
        return tower(clips)

    assert counted(two_passes, twice=True) == BY_HAND


@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_count_every_weight_at_every_place(transposed: bool) -> None:
    layer = nn.ConvTranspose2d(3, 4, 2, stride=2) if transposed else nn.Conv2d(3, 4, 2, stride=2)
    places = 2 * 36 if transposed else 2 * 9
    assert counted(lambda: layer(torch.rand(2, 3, 6, 6))) == 2 * 2 * places * 3 * 4 * 4


def test_the_record_has_speeds_behind_the_first_window(tmp_path: Path) -> None:
    class Counted(SharedProject):
        def counts(self, batch: object) -> dict[str, int]:
            return {"samples": 10}

    config = line_config("log_every=2", "gradient_accumulation_steps=2")
    assert trainer(tmp_path, Counted(), config).run()
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    found = {row["step"]: row for row in lines if "speed/mfu" in row}
    assert 1 not in found
    assert {2, 4} <= found.keys()
    assert found[4]["speed/samples_per_s"] > 0
    assert 0 < found[4]["speed/mfu"] < 1
    assert 0 <= found[4]["speed/stall_share"] <= 1


def test_a_thread_makes_the_next_while_one_is_used() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return 2 * number

    assert list(ahead(iter(range(4)), make)) == [0, 2, 4, 6]
    assert made == [0, 1, 2, 3]


def test_what_fails_in_the_thread_is_raised_by_whoever_asks() -> None:
    def refuse(number: int) -> int:
        raise OSError(number)

    with pytest.raises(OSError, match="3"):
        list(ahead(iter([3]), refuse))
