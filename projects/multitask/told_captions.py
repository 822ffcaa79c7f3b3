"""Captions that state what the heads found, and the controls that show whose work they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from cinelex.config.schema import RunConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.models.contracts import Constraint
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.results import Group
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_reading import Answers, FactReader, read_facts
from cinelex.projects.multitask.fact_results import fact_group, fact_rows
from cinelex.projects.multitask.phrases import Phrases
from cinelex.projects.multitask.telling import Telling, Told
from cinelex.projects.studies.captions import Written, write_captions
from cinelex.projects.studies.data import StudyData

BOUNDS = ("true_facts", "told_without_video")
"""Captions that know what the heads found, or should have, without looking."""


@dataclass(frozen=True)
class Teller:
    """What is needed to say what the heads found, in numbers and in words."""

    labels: FactLabels
    reader: FactReader
    phrases: Phrases
    batch: int
    """Studies at once."""

    @classmethod
    def fit(cls, model: VideoText, labels: FactLabels, data: StudyData, *, batch: int) -> "Teller":
        """Calibrate on the validation studies, or on the training studies where there are none."""
        held = data.validation or data.train
        answers = read_facts(model, held, batch=batch)
        reader = FactReader.fit(labels, answers, held.studies.ids, data.train.studies.ids)
        phrases = Phrases.of(data.train.studies.reports, data.tokenizer, labels.vocabulary)
        return cls(labels, reader, phrases, batch)

    def constraint(
        self, told: Mapping[str, Told], ids: Sequence[str], device: torch.device
    ) -> Constraint:
        """Return what holds the captions of these studies to what is told of them."""
        return Telling([told[name] for name in ids], self.phrases, device=device)

    def columns(self, model: VideoText, dataset: StudyDataset) -> Mapping[str, Sequence[Any]]:
        """Return the structured table of studies."""
        return fact_rows(self.reader, read_facts(model, dataset, batch=self.batch))

    def group(self, model: VideoText, dataset: StudyDataset) -> Group:
        """Return how well the heads answer studies whose reports are known."""
        answers = read_facts(model, dataset, batch=self.batch)
        return fact_group(self.reader, self.labels, answers, dataset.studies.ids)


@dataclass(frozen=True)
class ToldCaptions:
    """Writes captions that state what was found in each study, and nothing else."""

    config: RunConfig
    model: VideoText
    teller: Teller
    dataset: StudyDataset

    def write(self, answers: Answers, *, look: bool = True) -> list[str]:
        """Return a caption for each study that states these answers.

        Args:
            answers: What the heads say, or what takes its place.
            look: False keeps the decoder from seeing the studies.
        """
        told = dict(zip(self._ids, self.teller.reader.told(answers), strict=True))
        return self._written(told, look=look)

    def controls(self, answers: Answers) -> Written:
        """Return the captions, and what is written from other facts or without a study.

        ``untold``: the decoder by itself. ``other_studys_facts``: told what was found in the next
        study, beside its own video. ``facts_of_blank_video``: told what the heads say of black
        frames. ``told_without_video``: told its own facts, the decoder sees zeros.
        ``true_facts``: told what the report says, which is what words and decoder can reach.
        """
        settings = self.config.evaluation
        blank = read_facts(self.model, self.dataset, batch=settings.batch, blank=True)
        stated = self.teller.reader.stated_by(self.teller.labels, self._ids)
        beside = {
            "untold": write_captions(
                self.model,
                self.dataset,
                batch=settings.batch,
                max_tokens=settings.max_new_tokens,
            ),
            "other_studys_facts": self.write(np.roll(answers, 1, axis=0)),
            "facts_of_blank_video": self.write(blank),
            "told_without_video": self.write(answers, look=False),
            "true_facts": self._written(dict(zip(self._ids, stated, strict=True)), look=True),
        }
        return Written(self.write(answers), beside, BOUNDS)

    @property
    def _ids(self) -> list[str]:
        return self.dataset.studies.ids

    def _written(self, told: Mapping[str, Told], *, look: bool) -> list[str]:
        settings = self.config.evaluation
        return write_captions(
            self.model,
            self.dataset,
            batch=settings.batch,
            max_tokens=settings.max_new_tokens,
            constraint_of=partial(self.teller.constraint, told),
            look=look,
        )


def write_told(
    config: RunConfig, model: VideoText, teller: Teller, dataset: StudyDataset, *, beside: bool
) -> Written | None:
    """Return captions that state what the heads found; None where there is no decoder.

    Args:
        config: The run.
        model: The trained module, in evaluation mode.
        teller: Calibrated on its answers.
        dataset: The studies that are described.
        beside: Also write the controls.
    """
    if model.caption_decoder is None:
        return None
    told = ToldCaptions(config, model, teller, dataset)
    answers = read_facts(model, dataset, batch=config.evaluation.batch)
    return told.controls(answers) if beside else Written(told.write(answers))
