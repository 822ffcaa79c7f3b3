"""Counterfactual reports as a task of the project: a twin of each report of a batch."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from cinelex.config.schema import RunConfig
from cinelex.core.randomness import numpy_generator
from cinelex.data.batch import Batch
from cinelex.losses.counterfactual import Counterfactual
from cinelex.metrics.facts.twins import CHANGES, Twins
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.projects.studies.data import StudyData

COUNTERFACTUAL = "counterfactual"


@dataclass(frozen=True)
class DrawnTwins:
    """The twins of the reports of a batch."""

    token_ids: Int[Tensor, "study token"]
    """The report itself where there is no twin."""
    attention_mask: Bool[Tensor, "study token"]
    """True where there is a token."""
    there: Bool[Tensor, " study"]
    """Whether there is a twin."""


class CounterfactualTask:
    """Writes twins of reports when they are first needed, and compares studies with them."""

    def __init__(self, config: RunConfig, data: StudyData) -> None:
        """Keep what is read.

        Args:
            config: The run.
            data: Its studies.
        """
        self.config, self.data, self.loss = config, data, Counterfactual()
        self._written: dict[tuple[str, int], list[int] | None] = {}

    @cached_property
    def _twins(self) -> Twins:
        return Twins(self.data.train.studies.reports, vocabulary(self.config.facts.vocabulary))

    @cached_property
    def _reports(self) -> dict[str, str]:
        data = self.data
        splits = [data.train, *(s for s in (data.validation, data.test) if s is not None)]
        return {
            name: report
            for split in splits
            for name, report in zip(split.studies.ids, split.studies.reports, strict=True)
        }

    def draw(self, batch: Batch) -> DrawnTwins:
        """Return a twin of each report.

        The kind of change follows from the sample's key, so that a study meets all of them over the
        epochs, whatever the batch is made of. Reading the keys waits for the device.
        """
        pad = self.data.tokenizer.pad_id
        first = (batch.owner.diff(prepend=batch.owner.new_tensor([-1])) > 0).nonzero()[:, 0]
        kinds = (batch.keys[first] % len(CHANGES)).tolist()
        found = [self._twin(name, kind) for name, kind in zip(batch.study_ids, kinds, strict=True)]
        # where there is none, the report stands in for it, so that no row is empty
        own = batch.token_ids.cpu()
        rows = [own[n] if ids is None else torch.tensor(ids) for n, ids in enumerate(found)]
        device = batch.token_ids.device
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad).to(device)
        there = torch.tensor([ids is not None for ids in found]).to(device)
        return DrawnTwins(padded, padded != pad, there)

    def term(self, out: VideoTextOutputs, there: Bool[Tensor, " study"]) -> Tensor:
        """Return the loss of a batch."""
        assert out.twin is not None
        return self.loss(out.study, out.report, out.twin, there, temperature=out.temperature)

    def _twin(self, name: str, kind: int) -> list[int] | None:
        if (name, kind) not in self._written:
            draw = numpy_generator(self.config.seed, "twin", name, kind)
            twin = self._twins.of(self._reports[name], CHANGES[kind], draw)
            ids = None if twin is None else self.data.tokenizer.encode(twin)
            self._written[name, kind] = ids
        return self._written[name, kind]
