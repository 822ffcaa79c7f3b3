"""Studies as a user has them, files or arrays, to the clips that a model reads."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from cinelex.config.schema import DataConfig
from cinelex.core.errors import UserError
from cinelex.data.dicom.signature import is_dicom
from cinelex.data.video.decode import VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.frames import evenly_spaced
from cinelex.data.video.resize import Shape, reshape_frame
from cinelex.projects.studies.stored import ingest_settings, sampling_of

Video = str | Path | np.ndarray | Tensor
"""A video or DICOM file, or frames: uint8 of frame, row, column and, in colour, three channels."""
Study = Sequence[Video]
"""The videos of one study, in any order."""
Frames = UInt8[np.ndarray, "frame row column channel"]


class StudyReader:
    """Decodes files in a child that can be killed, and cuts clips as the run's evaluation does."""

    def __init__(self, data: DataConfig) -> None:
        self.data, self.sampling = data, sampling_of(data)
        self.shape = Shape(size=data.size, channels=data.channels)
        limits = ingest_settings(data, stored_frames=data.stored_frames).limits
        self._decoder = ChildDecoder(limits, backend=data.decoder, device=data.decoder_device)

    def __enter__(self) -> "StudyReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._decoder.close()

    def clips(self, study: Study, *, number: int) -> UInt8[Tensor, "clip frame row column channel"]:
        """Return the clips of all videos of a study.

        Args:
            study: Its videos.
            number: Its place in what was given, from 1, for messages: a path may name a patient.

        Raises:
            UserError: There is no video, or one cannot be read.
        """
        if isinstance(study, str | Path | np.ndarray | Tensor):
            raise UserError(f"study {number}: give a list of videos, also where there is only one")
        if not len(study):
            raise UserError(f"study {number}: a study needs at least one video")
        clips: list[Tensor] = []
        for place, video in enumerate(study, start=1):
            try:
                clips += self._of_video(video)
            except UserError as problem:
                raise UserError(f"study {number}, video {place}: {problem}") from None
        return torch.stack(clips)

    def _of_video(self, video: Video) -> list[Tensor]:
        frames, times = self._read(video)
        seen = None if self.sampling.seconds is None else times
        cuts = (self.sampling.draw_of(clip) for clip in range(self.sampling.evaluation_clips))
        return [
            torch.from_numpy(frames[self.sampling.indices(len(frames), seen, draw=draw)])
            for draw in cuts
        ]

    def _read(self, video: Video) -> tuple[Frames, tuple[float, ...] | None]:
        if isinstance(video, np.ndarray | Tensor):
            return self._of_array(np.asarray(video)), None
        path = Path(video)
        info, frames = self._decoder.read_stored(
            path, shape=self.shape, stored_frames=self.data.stored_frames, dicom=is_dicom(path)
        )
        return frames, info.times_ms

    def _of_array(self, frames: np.ndarray) -> Frames:
        pictures = frames[..., None] if frames.ndim == 3 else frames
        if frames.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[3] not in (1, 3):
            raise VideoError(
                "an array must be uint8 of frame, row, column and one or three channels, got "
                f"{frames.dtype} of {frames.shape}"
            )
        if not pictures.size:
            raise VideoError("an array without a frame")
        chosen = evenly_spaced(len(pictures), self.data.stored_frames)
        return np.stack([reshape_frame(pictures[index], shape=self.shape) for index in chosen])
