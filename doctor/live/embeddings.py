"""What becomes of the embeddings of a few fixed samples while a model trains."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.doctor.live.gradients import due
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
from cinelex.runners.probe import Probe


class EmbeddingProbe(Probe):
    """Spread, rank and, where there are two towers, agreement of a project's own fixed samples."""

    def __init__(self, project: Project[Any, Any], *, every: int) -> None:
        """Look at the first step and at every ``every``-th; 0 never looks."""
        self.project, self.every = project, every

    def before_backward(
        self,
        step: int,
        *,
        module: nn.Module,
        terms: Mapping[str, Tensor],
        weights: Mapping[str, float],
    ) -> Mapping[str, Tensor | float]:
        """Return ``embedding/...`` of the model as it stands before the update."""
        if not due(step, every=self.every):
            return {}
        with torch.no_grad():
            return embedding_numbers(self.project.representations(module))


def embedding_numbers(towers: Mapping[str, Tensor]) -> dict[str, Tensor | float]:
    """Return the spread of each tower's rows and, of two towers, how well their rows match.

    A tower with a row that is zero or not finite has no direction to speak of: its numbers are
    left out.
    """
    sound = {name: rows for name, rows in towers.items() if _has_directions(rows)}
    numbers: dict[str, Tensor | float] = {}
    for name, rows in sound.items():
        numbers[f"embedding/{name}/std"] = feature_std(rows)
        numbers[f"embedding/{name}/rankme"] = rankme(rows)
        numbers[f"embedding/{name}/cosine"] = mean_off_diagonal_cosine(rows)
        numbers[f"embedding/{name}/uniformity"] = uniformity(rows)
    if len(sound) == 2 and len({rows.shape for rows in sound.values()}) == 1:
        first, second = sound.values()
        numbers["embedding/gap"] = modality_gap(first, second)
        numbers["embedding/margin"] = hardest_negative_margin(first, second)
        numbers["embedding/recall_at_1"] = recall_at_1_of_rows(first, second)
        numbers["embedding/recall_at_1/chance"] = 1 / len(first)
        # each row is asked for its neighbour's partner: what a model that matches must not find
        shuffled = recall_at_1_of_rows(first, second.roll(1, dims=0))
        numbers["embedding/recall_at_1/shuffled"] = shuffled
        numbers["embedding/rank"] = mean_rank_share(first, second)
        numbers["embedding/rank/chance"] = 0.5
        numbers["embedding/samples"] = float(len(first))
    return numbers


def _has_directions(rows: Tensor) -> bool:
    return len(rows) > 1 and bool(torch.isfinite(rows).all() and (rows != 0).any(dim=1).all())
