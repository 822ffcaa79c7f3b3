"""Facts of reports as a task of the project: what is asked, what it costs, and what is told."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.data.batch import Batch
from cinelex.data.studies.dataset import StudyDataset
from cinelex.losses.facts import Facts
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Group
from cinelex.projects.multitask.constrained_captions import ConstrainedCaptions
from cinelex.projects.multitask.counterfactuals import counterfactual_groups
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_nulls import metadata_answers
from cinelex.projects.multitask.fact_reading import read_facts
from cinelex.projects.multitask.fact_results import Asked, fact_results
from cinelex.projects.multitask.fact_table import fact_rows
from cinelex.projects.multitask.fact_writer import FactWriter
from cinelex.projects.studies.beside import blind_studies
from cinelex.projects.studies.blind import STILL_SEEN, Blind
from cinelex.projects.studies.captions import Written
from cinelex.projects.studies.data import StudyData


class FactTask:
    """Asks the videos what the reports state, and lets captions and tables state what was found."""

    def __init__(self, config: RunConfig, data: StudyData) -> None:
        """Keep what is read.

        Args:
            config: The run.
            data: Its studies.
        """
        self.config, self.data, self.loss = config, data, Facts()

    @cached_property
    def labels(self) -> FactLabels:
        """What the reports of all splits state."""
        return FactLabels.of(self.config.facts, self.data)

    @property
    def tells(self) -> bool:
        """Whether captions state what was found, and there is something to state."""
        return self.config.facts.constrain and self.labels.stated

    def prepare(self, model: VideoText) -> None:
        """Give a fresh model the statistics that make numbers of its answers."""
        model.fact_mean.copy_(self.labels.statistics.mean)
        model.fact_std.copy_(self.labels.statistics.std)

    def term(self, found: Float[Tensor, "study fact"], batch: Batch) -> Float[Tensor, ""]:
        """Return the loss of a batch."""
        low, high = self.labels.intervals(batch.study_ids, found.device)
        return self.loss(found, low, high, self.labels.statistics.to(found.device))

    def write(self, model: VideoText, dataset: StudyDataset | Blind, *, beside: bool) -> Written:
        """Return captions that state what the heads found, and with ``beside`` the controls."""
        if beside and self.config.evaluation.generation.beams > 1:
            say("captions are held to facts, so no beams; facts.constrain=false allows them")
        writer = self._fact_writer(model)
        captions = ConstrainedCaptions(self.config, model, writer, self.labels, dataset)
        answers = read_facts(model, dataset, batch=self.config.evaluation.batch)
        return captions.controls(answers) if beside else Written(captions.write(answers))

    def columns(self, model: VideoText, dataset: StudyDataset) -> Mapping[str, Sequence[Any]]:
        """Return the structured table of studies, by the name of a column."""
        answers = read_facts(model, dataset, batch=self.config.evaluation.batch)
        return fact_rows(self._fact_writer(model).reader, answers)

    def results(self, model: VideoText, folder: Path) -> tuple[list[Group], list[Table]]:
        """Return how well test studies are answered; keep the fact writer in ``folder``."""
        dataset, settings = self.data.test, self.config.evaluation
        writer = self._fact_writer(model)
        if self.labels.stated:
            writer.save(folder)
        blind = blind_studies(self.config, self.data)
        asked = Asked(
            truth=self.labels.values(dataset.studies.ids),
            mean=self.labels.statistics.mean.numpy(),
            patients=dataset.patient_groups,
            nulls={
                name: read_facts(model, some, batch=settings.batch) for name, some in blind.items()
            }
            | metadata_answers(self.config, self.data, self.labels),
            bounds=STILL_SEEN,
            resamples=settings.bootstrap,
            seed=self.config.seed,
        )
        answers = read_facts(model, dataset, batch=settings.batch)
        group, tables = fact_results(writer.reader, answers, asked)
        return [group, *counterfactual_groups(self.config, self.data, model)], tables

    def _fact_writer(self, model: VideoText) -> FactWriter:
        return FactWriter.fit(model, self.labels, self.data, batch=self.config.evaluation.batch)
