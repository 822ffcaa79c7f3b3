"""A trained run as one object."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.core.progress import progress as shown
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.models.embedding import unit_rows
from cinelex.models.search import Constraint
from cinelex.models.study_model import EncodedStudies, StudyModel
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.fact_reading import answers_of
from cinelex.projects.multitask.fact_writer import FactWriter
from cinelex.projects.studies.captions import search_of, told_of
from cinelex.trained.engines import Clips, Engine, TorchEngine
from cinelex.trained.found import Fact, Match, facts_of
from cinelex.trained.reading import Study, StudyReader

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class TrainedRun:
    """The model of a run and what it needs to read videos and reports.

    A study is a list of videos, and a video is a file, DICOM or other, or an array of uint8 frames.
    Every method takes a list of studies and keeps its order; what it returns is on the CPU, and the
    same for a study whatever stands beside it, to rounding.
    """

    config: RunConfig
    model: StudyModel
    """In evaluation mode."""
    tokenizer: Tokenizer
    engine: Engine
    """Makes the unit rows: the model, or its ONNX graphs."""
    fact_writer: FactWriter | None = None
    """Says what the heads found; None where the run asked for no facts."""

    @property
    def unheld(self) -> bool:
        """Return whether captions should be held to what the heads find, and nothing tells it."""
        heads = isinstance(self.model, VideoText) and self.model.fact_heads is not None
        return heads and self.fact_writer is None and self.config.facts.constrain

    def encode_videos(
        self, studies: Sequence[Study], *, batch: int | None = None, progress: bool = False
    ) -> Float[Tensor, "study dim"]:
        """Return the unit row of each study.

        Args:
            studies: Lists of videos.
            batch: Studies at once; None takes that of the run's evaluation.
            progress: Show on stderr how far it is.

        Raises:
            UserError: A study has no video, or one cannot be read; names its place.

        Example:
            >>> run.encode_videos([["a.mp4", "b.mp4"], ["c.mp4"]]).shape[0]
            2
        """
        rows = self._by_clips(studies, self.engine.studies, batch, progress)
        return torch.cat([torch.empty(0, self.model.dim), *rows])

    def encode_reports(
        self, reports: Sequence[str], *, batch: int | None = None, progress: bool = False
    ) -> Float[Tensor, "report dim"]:
        """Return the unit row of each report, in the space of the studies.

        Raises:
            UserError: One text was given instead of a list.

        Example:
            >>> rows = run.encode_reports(["Normal coronary arteries."])
            >>> round(float(rows.norm()), 4)
            1.0
        """
        if isinstance(reports, str):
            raise UserError("reports: give a list of texts, also where there is only one")
        rows = [torch.empty(0, self.model.dim)]
        for part in self._batches(reports, batch, progress, "reports"):
            token_ids = [torch.tensor(self.tokenizer.encode(report)) for report in part]
            padded = pad_sequence(token_ids, batch_first=True, padding_value=self.tokenizer.pad_id)
            rows.append(self.engine.reports(padded, padded != self.tokenizer.pad_id))
        return torch.cat(rows)

    def caption(
        self, studies: Sequence[Study], *, batch: int | None = None, progress: bool = False
    ) -> list[str]:
        """Write a report about each study.

        Raises:
            UserError: The run has no caption decoder, or a video cannot be read.

        Example:
            >>> [text] = run.caption([["a.mp4", "b.mp4"]])
            >>> type(text).__name__
            'str'
        """
        if self.model.caption_decoder is None:
            raise UserError(f"run {self.config.name} was trained without captioning")
        told = self._by_clips(studies, self.captions_of, batch, progress)
        return [caption for part in told for caption in part]

    @torch.no_grad()
    def captions_of(self, clips: Sequence[Clips]) -> list[str]:
        """Return the captions of studies that are decoded already."""
        assert self.model.caption_decoder is not None
        encoded = TorchEngine(self.model).encoded(clips)
        return told_of(
            encoded,
            self.model.caption_decoder,
            self.tokenizer,
            max_tokens=self.config.evaluation.max_new_tokens,
            constraint=self._constraint(encoded),
            search=search_of(self.config),
        )

    def facts(
        self, studies: Sequence[Study], *, batch: int | None = None, progress: bool = False
    ) -> list[list[Fact]]:
        """Return what the heads found in each study, calibrated on studies not trained on.

        Raises:
            UserError: The run has no heads on facts, or a video cannot be read.
        """
        if self.fact_writer is None:
            raise UserError(
                f"run {self.config.name} has no heads on facts; train it with loss_weights.facts"
            )
        reader = self.fact_writer.reader

        def answer(clips: Sequence[Clips]) -> list[list[Fact]]:
            return facts_of(reader, self._answers(TorchEngine(self.model).encoded(clips)))

        found = self._by_clips(studies, answer, batch, progress)
        return [study for part in found for study in part]

    def search(
        self,
        studies: Sequence[Study],
        reports: Sequence[str],
        *,
        count: int = 5,
        batch: int | None = None,
        progress: bool = False,
    ) -> list[list[Match]]:
        """Return for each study the reports nearest to it, best first.

        Raises:
            UserError: ``count`` is no number from 1 on, or a video cannot be read.

        Example:
            >>> [found] = run.search([["a.mp4"]], ["Normal.", "90% stenosis of the mid LAD."])
        """
        if count < 1:
            raise UserError(f"count: at least 1, got {count}")
        rows = self.encode_reports(reports, batch=batch, progress=progress)
        scores = self.encode_videos(studies, batch=batch, progress=progress) @ rows.T
        best = scores.topk(min(count, len(reports)), dim=1)
        return [
            [Match(reports[index], cosine) for cosine, index in zip(row, places, strict=True)]
            for row, places in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]

    def zero_shot(
        self,
        studies: Sequence[Study],
        prompts: Sequence[str] | Mapping[str, Sequence[str]],
        *,
        batch: int | None = None,
        progress: bool = False,
    ) -> list[dict[str, float]]:
        """Return for each study the probability of each prompt against the others.

        The softmax of cosines over the run's temperature; it is no calibrated probability of a
        finding, and a prompt's null is one over their number.

        Args:
            studies: Lists of videos.
            prompts: Sentences, or for each class several wordings of it, whose mean is taken.
            batch: Studies at once; None takes that of the run's evaluation.
            progress: Show on stderr how far it is.

        Raises:
            UserError: There are fewer than two prompts, or a class without a wording.

        Example:
            >>> [study] = run.zero_shot([["a.mp4"]], ["Normal.", "90% stenosis of the mid LAD."])
            >>> round(sum(study.values()), 4)
            1.0
        """
        named = prompts if isinstance(prompts, Mapping) else {text: [text] for text in prompts}
        if len(named) < 2 or not all(named.values()):
            raise UserError("prompts: give two or more, each with a wording")
        means = [self.encode_reports(texts).mean(0) for texts in named.values()]
        rows = self.encode_videos(studies, batch=batch, progress=progress)
        scores = rows @ unit_rows(torch.stack(means)).T
        shares = (scores / self.model.temperature().detach().cpu()).softmax(dim=1)
        return [dict(zip(named, row, strict=True)) for row in shares.tolist()]

    def _by_clips(
        self,
        studies: Sequence[Study],
        answer: Callable[[Sequence[Clips]], Answer],
        batch: int | None,
        progress: bool,
    ) -> list[Answer]:
        """Decode studies a batch at a time, and ask of each batch what is asked."""
        answers, number = [], 0
        with StudyReader(self.config.data) as reader:
            for part in self._batches(studies, batch, progress, "studies"):
                clips = [reader.clips(study, number=number + n) for n, study in enumerate(part, 1)]
                answers.append(answer(clips))
                number += len(part)
        return answers

    def _batches(
        self, items: Sequence[Item], batch: int | None, progress: bool, what: str
    ) -> Iterator[Sequence[Item]]:
        size = self.config.evaluation.batch if batch is None else batch
        if size < 1:
            raise UserError(f"batch: at least 1, got {size}")
        parts = [items[at : at + size] for at in range(0, len(items), size)]
        if not progress:
            return iter(parts)
        return shown(parts, total=len(parts), what=f"batches of {what}")

    def _answers(self, encoded: EncodedStudies) -> Float[Tensor, "study fact"]:
        assert isinstance(self.model, VideoText)
        return answers_of(self.model, encoded).cpu()

    def _constraint(self, encoded: EncodedStudies) -> Constraint | None:
        """Return what holds a caption to what the heads found, as inference does."""
        writer = self.fact_writer
        if writer is None or not self.config.facts.constrain or not writer.phrases.texts:
            return None
        return writer.constraint(self._answers(encoded).numpy(), encoded.study.device)
