"""A small project whose global batch is shared out over the ranks, as a real one's is."""

from collections.abc import Iterator, Mapping
from itertools import count

import torch
from torch import Tensor, nn

from cinelex.core.distributed import rank, sum_over_ranks, world_size
from cinelex.core.randomness import generator
from cinelex.data.sampler import share
from tests.runners.line_project import Guess, LineProject, Points

ROWS = 7


class Blocks(nn.Module):
    """A residual network: what is sharded, compiled and recomputed are its blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 3)) for _ in range(2)
        )
        self.head = nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class SharedProject(LineProject):
    """Learn the sum of three numbers; the last rank alone sees what spoils a step."""

    def model(self) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return Blocks()

    def batches(self, start_step: int) -> Iterator[Points]:
        for step in count(start_step):
            if self.at_step is not None:
                self.at_step(step)
            x = torch.randn(ROWS, 3, generator=generator("points", step))
            if step in self.spoiled:
                x[-1, 0] = torch.nan
            yield Points(x[share([*range(ROWS)], rank=rank(), world_size=world_size())])

    def losses(self, outputs: Guess, batch: Points) -> Mapping[str, Tensor]:
        error = outputs.sum - batch.x.sum(1, keepdim=True)
        self.largest = error.detach().abs().max()
        return {"contrastive": sum_over_ranks(error.square().sum()) / ROWS}

    def statistics(self) -> Mapping[str, Tensor | float]:
        return {}
