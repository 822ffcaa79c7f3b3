"""What the reports of a run state, as labels of its studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import FactsConfig
from cinelex.core.console import say
from cinelex.losses.facts import Facts, FactStatistics, fact_statistics
from cinelex.metrics.facts.targets import Column, columns_of, fact_targets
from cinelex.metrics.facts.vocabulary import Vocabulary, vocabulary
from cinelex.projects.studies.data import StudyData


@dataclass(frozen=True)
class FactLabels:
    """The facts of every study of all splits, read from its report and from nothing else."""

    vocabulary: Vocabulary
    columns: Sequence[Column]
    ends: Float[Tensor, "study fact end"]
    """The interval that each report allows; NaN where it is silent."""
    row: Mapping[str, int]
    """The row in ``ends`` of each study, by its id."""
    statistics: FactStatistics
    """Of the training reports."""

    @classmethod
    def of(cls, config: FactsConfig, data: StudyData) -> "FactLabels":
        """Parse all reports; say so where nothing that they state can be learned."""
        words = vocabulary(config.vocabulary)
        splits = [data.train, *(s for s in (data.validation, data.test) if s is not None)]
        reports = [report for split in splits for report in split.studies.reports]
        ends = torch.from_numpy(fact_targets(reports, words, silence=config.silence))
        known = ends[: len(data.train)]
        statistics = fact_statistics(known[..., 0], known[..., 1])
        if not bool((statistics.std > 0).any()):
            say(
                f"facts: the parser finds no {words.name} fact that differs between training "
                "reports, so the term stays 0; loss_weights.facts=0 leaves it out"
            )
        ids = (name for split in splits for name in split.studies.ids)
        rows = {name: number for number, name in enumerate(ids)}
        return cls(words, columns_of(words), ends, rows, statistics)

    @property
    def stated(self) -> bool:
        """Whether there is anything to learn."""
        return bool((self.statistics.std > 0).any())

    def intervals(
        self, ids: Sequence[str], device: torch.device
    ) -> tuple[Float[Tensor, "study fact"], Float[Tensor, "study fact"]]:
        """Return the least and the most that the reports of these studies allow."""
        ends = self.ends[[self.row[name] for name in ids]].to(device, non_blocking=True)
        return ends[..., 0], ends[..., 1]

    def values(self, ids: Sequence[str]) -> Float[np.ndarray, "study fact"]:
        """Return the number that stands for each interval; NaN where a report is silent."""
        return np.asarray(self.ends[[self.row[name] for name in ids]].mean(dim=-1).numpy())

    def chance(self, ids: Sequence[str]) -> float:
        """Return the loss of guessing the training reports' means for these studies."""
        low, high = self.intervals(ids, torch.device("cpu"))
        return float(Facts()(torch.zeros_like(low), low, high, self.statistics))
