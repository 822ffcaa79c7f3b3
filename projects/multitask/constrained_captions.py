"""Captions that state what the heads found, and the controls that show whose work they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from cinelex.config.schema import RunConfig
from cinelex.data.studies.dataset import StudyDataset
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.fact_constraint import CaptionClaims
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_reading import Answers, read_facts
from cinelex.projects.multitask.fact_writer import FactWriter
from cinelex.projects.studies.blind import Blind
from cinelex.projects.studies.captions import Written, search_of, write_captions

BOUNDS = ("true_facts", "constrained_without_video", "shuffled_facts")
"""Captions that know what the heads found, or should have, without looking."""


@dataclass(frozen=True)
class ConstrainedCaptions:
    """Writes captions that state what was found in each study, and nothing else."""

    config: RunConfig
    model: VideoText
    fact_writer: FactWriter
    labels: FactLabels
    dataset: StudyDataset | Blind

    def write(self, answers: Answers, *, look: bool = True) -> list[str]:
        """Return a caption for each study that states these answers.

        Args:
            answers: What the heads say, or what takes its place.
            look: False keeps the decoder from seeing the studies.
        """
        claims = dict(zip(self._ids, self.fact_writer.reader.claims(answers), strict=True))
        return self._written(claims, look=look)

    def controls(self, answers: Answers) -> Written:
        """Return the captions, and what is written from other facts or without a study.

        ``unconstrained``: the decoder by itself. Else constrained to other facts or without video:
        ``other_studys_facts``: what was found in the next study, beside its own video.
        ``shuffled_facts``: its own narrowings at segments that are drawn, so that all but the place
        is right. ``facts_of_blank_video``: what the heads say of black frames.
        ``constrained_without_video``: its own facts, the decoder sees zeros.
        ``true_facts``: what the report says, the best that sentences and decoder can reach.
        """
        settings = self.config.evaluation
        unseen = Blind(self.dataset.of_pixels(), "blank_video", self.config.seed)
        blank = read_facts(self.model, unseen, batch=settings.batch)
        reader = self.fact_writer.reader
        stated = reader.stated_by(self.labels, self._ids)
        beside = {
            "unconstrained": write_captions(
                self.model,
                self.dataset,
                batch=settings.batch,
                max_tokens=settings.max_new_tokens,
                search=search_of(self.config),
            ),
            "other_studys_facts": self.write(np.roll(answers, 1, axis=0)),
            "shuffled_facts": self.write(reader.at_other_places(answers, seed=self.config.seed)),
            "facts_of_blank_video": self.write(blank),
            "constrained_without_video": self.write(answers, look=False),
            "true_facts": self._written(dict(zip(self._ids, stated, strict=True)), look=True),
        }
        return Written(self.write(answers), beside, BOUNDS)

    @property
    def _ids(self) -> list[str]:
        return self.dataset.studies.ids

    def _written(self, claims: Mapping[str, CaptionClaims], *, look: bool) -> list[str]:
        settings = self.config.evaluation
        return write_captions(
            self.model,
            self.dataset,
            batch=settings.batch,
            max_tokens=settings.max_new_tokens,
            constraint_of=partial(self.fact_writer.constraint_of, claims),
            look=look,
            search=search_of(self.config),
        )
