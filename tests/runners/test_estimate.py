"""What a step costs, counted on shapes: values known by hand, and every recipe for GPUs."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.models.blocks import Block
from cinelex.projects import PROJECTS
from cinelex.runners.cards import card_of
from cinelex.runners.counting import count
from cinelex.runners.estimate import estimate_lines
from tests.tiny_run import CONFIGS, EQ_CONFIG, MODEL, MULTITASK

RECIPES = {
    "gpu_24gb": ("rtx4090", 1),
    "gpu_80gb": ("a100-80gb", 1),
    "gpu_8x80gb": ("h100-80gb", 8),
    "frozen_features": ("rtx4090", 1),
}


def lines_of(config: RunConfig, *, card: str, processes: int) -> list[str]:
    plan = PROJECTS[config.project].plan
    return estimate_lines(config, plan, card=card, processes=processes)


def test_a_linear_layer_costs_three_products_and_keeps_its_input() -> None:
    with torch.device("meta"):
        layer, rows = nn.Linear(8, 4, bias=False), torch.empty(5, 8, requires_grad=True)
    found = count(layer, lambda: layer(rows).sum(), checkpointing=False)
    assert found.flop == 3 * 2 * 5 * 8 * 4
    assert found.kept_bytes == 5 * 8 * 4


def test_attention_keeps_no_matrix() -> None:
    with torch.device("meta"):
        block = Block(width=8, heads=2, mlp_ratio=1.0)
        short, long = (torch.empty(1, n, 8, requires_grad=True) for n in (64, 128))
    one = count(block, lambda: block(short).sum(), checkpointing=False)
    two = count(block, lambda: block(long).sum(), checkpointing=False)
    assert two.kept_bytes == 2 * one.kept_bytes
    assert two.flop > 2 * one.flop


def test_checkpointing_keeps_less_and_runs_each_block_again() -> None:
    class Stack(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList(Block(width=16, heads=2, mlp_ratio=4.0) for _ in range(6))

        def forward(self, rows: Tensor) -> Tensor:
            for block in self.blocks:
                rows = block(rows)
            return rows

    with torch.device("meta"):
        plain, again = Stack(), Stack()
        rows = torch.empty(2, 32, 16, requires_grad=True)
    whole = count(plain, lambda: plain(rows).sum(), checkpointing=False)
    less = count(again, lambda: again(rows).sum(), checkpointing=True)
    assert less.kept_bytes < whole.kept_bytes / 3
    assert 1.2 < less.flop / whole.flop < 1.4


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_for_gpus_fits_together_and_onto_its_card(name: str) -> None:
    card, processes = RECIPES[name]
    config = load_config(CONFIGS / f"{name}.yaml")
    said = "\n".join(lines_of(config, card=card, processes=processes))
    assert "too much" not in said
    memory = re.search(r"memory of a process: ([\d.]+) of", said)
    room = card_of(card).memory_gib
    assert memory is not None
    assert room is not None
    assert float(memory[1]) < 0.9 * room
    assert ("read from the cache" in said) == (name == "frozen_features")


def test_what_cannot_be_estimated_is_refused() -> None:
    config = load_config(MULTITASK, [*MODEL, "batch=4"])
    with pytest.raises(UserError, match="--card: 'b17' is none of cpu, rtx3090"):
        lines_of(config, card="b17", processes=1)
    with pytest.raises(UserError, match="a batch of 4 in 1 micro-batches cannot be shared by 8"):
        lines_of(config, card="l4", processes=8)
    with pytest.raises(UserError, match="eq has no towers"):
        lines_of(load_config(EQ_CONFIG), card="l4", processes=1)


def test_a_project_of_its_own_size_is_counted_whole(tmp_path: Path) -> None:
    said = lines_of(load_config(MULTITASK, [*MODEL, "batch=4"]), card="l4", processes=1)
    total = next(line for line in said if line.startswith("all")).split()
    assert total[1] == total[2]  # nothing is frozen
