"""A trained run as one object."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.core.weights import load_weights
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.decode import VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape
from cinelex.data.video.transforms import to_float
from cinelex.models.adapters import merge_adapters
from cinelex.models.contracts import Constraint
from cinelex.models.study_model import EncodedStudies, StudyModel
from cinelex.models.video_text import VideoText
from cinelex.projects import build_study_model
from cinelex.projects.interface.towers import kept_towers
from cinelex.projects.multitask.fact_reading import answers_of
from cinelex.projects.multitask.teller import Teller
from cinelex.projects.studies.captions import told_of
from cinelex.projects.studies.stored import ingest_settings, sampling_of


@dataclass(frozen=True)
class Match:
    """A report that was found for a study."""

    report: str
    cosine: float
    """In [-1, 1]; comparable only within one search."""


@dataclass(frozen=True)
class TrainedRun:
    """The model of a run and what it needs to read videos and reports."""

    config: RunConfig
    model: StudyModel
    """In evaluation mode, on the CPU."""
    tokenizer: Tokenizer
    teller: Teller | None = None
    """Says what the heads found; None where the run asked for no facts."""

    def encode(self, videos: Sequence[str | Path]) -> Float[Tensor, " dim"]:
        """Return the unit vector of a study, given its videos in any order.

        Raises:
            UserError: There is no video, or one cannot be decoded.
        """
        return self._encoded(videos).study[0]

    def encode_reports(self, reports: Sequence[str]) -> Float[Tensor, "report dim"]:
        """Return one unit vector a report, in the space of the studies."""
        token_ids = [torch.tensor(self.tokenizer.encode(report)) for report in reports]
        padded = pad_sequence(token_ids, batch_first=True, padding_value=self.tokenizer.pad_id)
        with torch.no_grad():
            return self.model.encode_report(padded, padded != self.tokenizer.pad_id).report

    def caption(self, videos: Sequence[str | Path]) -> str:
        """Write a report about a study.

        Raises:
            UserError: The run has no caption decoder, or a video cannot be decoded.
        """
        if self.model.caption_decoder is None:
            raise UserError(f"run {self.config.name} was trained without captioning")
        encoded = self._encoded(videos)
        most = self.config.evaluation.max_new_tokens
        return told_of(
            encoded,
            self.model.caption_decoder,
            self.tokenizer,
            max_tokens=most,
            constraint=self._constraint(encoded),
        )[0]

    def search(
        self, videos: Sequence[str | Path], reports: Sequence[str], *, count: int = 5
    ) -> list[Match]:
        """Return the reports nearest to a study, best first."""
        scores = self.encode_reports(reports) @ self.encode(videos)
        best = scores.topk(min(count, len(reports)))
        return [
            Match(reports[index], cosine)
            for cosine, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]

    def _constraint(self, encoded: EncodedStudies) -> Constraint | None:
        """Return what holds a caption to what the heads found, as inference does."""
        if self.teller is None or not self.config.facts.constrain:
            return None
        assert isinstance(self.model, VideoText)
        answers = answers_of(self.model, encoded).numpy()
        return self.teller.constraint(answers, encoded.study.device)

    @torch.no_grad()
    def _encoded(self, videos: Sequence[str | Path]) -> EncodedStudies:
        if not videos:
            raise UserError("a study needs at least one video")
        data = self.config.data
        shape = Shape(size=data.size, channels=data.channels)
        sampling = sampling_of(data)
        limits = ingest_settings(data, stored_frames=data.stored_frames).limits
        decoder = ChildDecoder(limits, backend=data.decoder, device=data.decoder_device)
        clips = []
        try:
            for video in videos:
                try:
                    info, frames = decoder.read_stored(
                        Path(video), shape=shape, stored_frames=data.stored_frames
                    )
                except VideoError as problem:
                    raise UserError(f"{video}: {problem}") from None
                for clip in range(sampling.evaluation_clips):
                    draw = sampling.draw_of(clip)
                    times = None if sampling.seconds is None else info.times_ms
                    chosen = sampling.indices(len(frames), times, draw=draw)
                    clips.append(torch.from_numpy(frames[chosen]))
        finally:
            decoder.close()
        owner = torch.zeros(len(clips), dtype=torch.int64)
        return self.model.encode_study(to_float(torch.stack(clips)), owner, studies=1)


def load(run: str | Path) -> TrainedRun:
    """Return the model of a run's newest checkpoint.

    Args:
        run: The run's folder, such as ``runs/multitask``.

    Raises:
        UserError: There is no such run, or its checkpoint is damaged.
    """
    folder = Path(run)
    config = load_config(folder / "config.yaml")
    tokenizer = load_tokenizer(folder / "tokenizer")
    model = build_study_model(config, tokenizer, kept_towers(folder))
    found = checkpoint.newest(folder / "checkpoints", strict=True)
    if found is None:
        raise UserError(f"{folder / 'checkpoints'}: no checkpoint yet; train the run first")
    if found.position.best_step is not None and config.evaluation.checkpoint != "newest":
        found = checkpoint.best(found)
    load_weights(found, model)
    merge_adapters(model)
    return TrainedRun(config, model.eval(), tokenizer, Teller.load(folder, tokenizer))
