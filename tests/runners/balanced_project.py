"""A small project of two terms, trained under each balance, on one process or on two."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from cinelex.core import distributed
from cinelex.core.distributed import sum_over_ranks
from cinelex.doctor.live.gradients import GradientProbe
from cinelex.projects.interface.terms import TermNulls
from cinelex.runners.train import Trainer
from tests.runners.line_project import PROVENANCE, Guess, Points, line_config
from tests.runners.shared_project import ROWS, SharedProject

BALANCES = ("shares", "uncertainty", "famo", "upgrad")


class TwoTerms(SharedProject):
    """The sum of three numbers; and, in a hundredth of the unit, the same below zero."""

    def losses(self, outputs: Guess, batch: Points) -> Mapping[str, Tensor]:
        error = outputs.sum + batch.x.sum(1, keepdim=True)
        against = 0.01 * sum_over_ranks(error.square().sum()) / ROWS
        return {**super().losses(outputs, batch), "captioning": against}

    def weights(self, step: int) -> Mapping[str, float]:
        return {"contrastive": 1.0, "captioning": 0.5}

    def nulls(self, batch: Points) -> Mapping[str, TermNulls]:
        return {"contrastive": TermNulls(chance=3.0), "captioning": TermNulls()}


def balanced(
    folder: Path,
    name: str,
    *more: str,
    spoiled: frozenset[int] = frozenset(),
    at_step: Callable[[int], None] | None = None,
) -> Trainer[Points]:
    """Return a trainer of two terms under a balance."""
    chosen = ("loss_weights.captioning=0.5", f"balance.name={name}", "probe_every=2")
    return Trainer(
        TwoTerms(spoiled, at_step),
        line_config(*chosen, "log_every=1", "validate_every=0", *more),
        folder=folder,
        device=torch.device("cpu"),
        provenance=PROVENANCE,
        probes=(GradientProbe(every=2),),
    )


def run_all(folder: Path) -> None:
    """Train under each balance on all processes together."""
    torch.set_num_threads(1)
    distributed.start("cpu", timeout_s=120)
    for name in BALANCES:
        assert balanced(folder / name, name).run()
    distributed.stop()


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
