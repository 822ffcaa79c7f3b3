"""What becomes of the embeddings of a few fixed samples while a model trains."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.doctor.live.units import watching_units
from cinelex.metrics.representation import (
    feature_std,
    hardest_negative_margin,
    mean_off_diagonal_cosine,
    mean_rank_share,
    modality_gap,
    rankme,
    recall_at_1_of_rows,
    uniformity,
)
from cinelex.projects.interface.project import Project
from cinelex.runners.probe import Numbers, Probe

OF_ONE: Mapping[str, Callable[[Tensor], Tensor | float]] = {
    "std": feature_std,
    "rankme": rankme,
    "cosine": mean_off_diagonal_cosine,
    "uniformity": uniformity,
}
OF_TWO: Mapping[str, Callable[[Tensor, Tensor], Tensor | float]] = {
    "gap": modality_gap,
    "margin": hardest_negative_margin,
    "recall_at_1": recall_at_1_of_rows,
    "rank": mean_rank_share,
}


class EmbeddingProbe(Probe):
    """Spread, rank and, where there are two towers, agreement of a project's own fixed samples."""

    def __init__(self, project: Project[Any, Any], *, every: int, units: bool = True) -> None:
        """Look now and then.

        Args:
            project: Whose samples.
            every: As in `Probe`.
            units: Also look at activations, which cannot be seen in compiled blocks.
        """
        self.project, self.every, self.units = project, every, units

    def before_backward(self, module: nn.Module, terms: Mapping[str, Tensor]) -> Numbers:
        """Return ``embedding/...`` and ``units/...`` of the model as it is before the update."""
        with torch.no_grad():
            if not self.units:
                return embedding_numbers(self.project.representations(module))
            with watching_units(module) as units:
                towers = self.project.representations(module)
            return {**embedding_numbers(towers), **units.numbers()}


def embedding_numbers(towers: Mapping[str, Tensor]) -> dict[str, Tensor | float]:
    """Return the spread of each tower's rows and, of two towers, how well their rows match.

    A tower with a row that is zero or not finite has no direction to speak of: its numbers are
    left out.
    """
    sound = {name: rows for name, rows in towers.items() if _has_directions(rows)}
    numbers: dict[str, Tensor | float] = {
        f"embedding/{name}/{key}": measure(rows)
        for name, rows in sound.items()
        for key, measure in OF_ONE.items()
    }
    if len(sound) == 2 and len({rows.shape for rows in sound.values()}) == 1:
        first, second = sound.values()
        # each row is asked for its neighbour's partner: what a model that matches must not find
        shuffled = recall_at_1_of_rows(first, second.roll(1, dims=0))
        numbers |= {f"embedding/{key}": measure(first, second) for key, measure in OF_TWO.items()}
        numbers |= {
            "embedding/recall_at_1/chance": 1 / len(first),
            "embedding/recall_at_1/shuffled": shuffled,
            "embedding/rank/chance": 0.5,
            "embedding/samples": float(len(first)),
        }
    return numbers


def _has_directions(rows: Tensor) -> bool:
    return len(rows) > 1 and bool(torch.isfinite(rows).all() and (rows != 0).any(dim=1).all())
