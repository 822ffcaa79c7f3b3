"""Files that somebody drops on the page: limited, decoded in children, and soon forgotten.

Their bytes are deleted as soon as they are decoded; frames stay in memory for a while.
"""

import hashlib
import queue
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from cinelex.config.schema import DataConfig
from cinelex.core.errors import UserError
from cinelex.data.video.decode import Limits, VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.frames import evenly_spaced
from cinelex.data.video.resize import Shape
from cinelex.data.video.sniff import DICOM, head_of
from cinelex.data.video.transforms import to_float
from cinelex.library.loops import Frames
from cinelex.library.search import Question
from cinelex.projects.studies.stored import sampling_of
from cinelex.trained.run import TrainedRun

MAX_FRAMES: Final = 3000
MAX_PIXELS: Final = 4096 * 4096
DEADLINE_S: Final = 30.0
KEPT: Final = 64
"""Uploads in memory, over all people; the oldest goes first."""
KEPT_S: Final = 1800.0
DECODERS: Final = 2


@dataclass(frozen=True)
class Upload:
    """A cine that somebody dropped."""

    person: str
    frames: Frames
    times_ms: Any
    """When each frame is shown; None where nobody knows."""
    content: str
    """Hash of the frames."""
    since: float


class Uploads:
    """The cines that people dropped lately, by numbers that nobody can guess."""

    def __init__(self, run: TrainedRun) -> None:
        """Start nothing yet; children start with the first file."""
        self._run, self._data = run, run.config.data
        self._lock = threading.Lock()
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        self._turns: queue.Queue[None] = queue.Queue()
        for _ in range(DECODERS):
            self._turns.put(None)

    def add(self, path: Path, person: str) -> str:
        """Decode a file, and return the number that it is known by.

        Raises:
            UserError: It is no cine that can be decoded within the limits.
        """
        try:
            self._turns.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise UserError("too many files are being decoded; try again in a minute") from None
        try:
            frames, times = _decoded(path, self._data)
        finally:
            self._turns.put(None)
        content = hashlib.sha256(np.ascontiguousarray(frames).data).hexdigest()[:16]
        number = secrets.token_urlsafe(18)
        with self._lock:
            self._uploads[number] = Upload(person, frames, times, content, time.monotonic())
            while len(self._uploads) > KEPT:
                self._uploads.popitem(last=False)
        return number

    def get(self, number: str, person: str) -> Upload:
        """Return what somebody dropped.

        Raises:
            UserError: It is not there any more, or somebody else's.
        """
        with self._lock:
            found = self._uploads.get(number)
            if found is not None and time.monotonic() - found.since > KEPT_S:
                del self._uploads[number]
                found = None
        if found is None or found.person != person:
            raise UserError("this upload is not kept any more; drop the file again")
        return found

    @torch.no_grad()
    def question(self, numbers: Sequence[str], person: str) -> Question:
        """Return the question that the cines of one study ask together."""
        sampling, clips = sampling_of(self._data), []
        for number in numbers:
            upload = self.get(number, person)
            for clip in range(sampling.evaluation_clips):
                draw = sampling.draw_of(clip)
                taken = sampling.indices(len(upload.frames), upload.times_ms, draw=draw)
                clips.append(torch.from_numpy(upload.frames[taken]))
        model = self._run.model
        device = next(model.parameters()).device
        owner = torch.zeros(len(clips), dtype=torch.int64, device=device)
        levels = to_float(torch.stack(clips)).to(device)
        vector = model.encode_study(levels, owner, studies=1).study[0]
        return Question("videos", np.asarray(vector.float().cpu().numpy()))


def _decoded(path: Path, data: DataConfig) -> tuple[Frames, Any]:
    """Decode a file in a child that is gone afterwards; of DICOM its sector or field alone."""
    limits = Limits(max_pixels=MAX_PIXELS, max_frames=MAX_FRAMES, deadline_s=DEADLINE_S)
    with ChildDecoder(limits, backend=data.decoder, device=data.decoder_device) as decoder:
        try:
            info, frames = decoder.read_stored(
                path,
                shape=Shape(size=data.size, channels=data.channels),
                stored_frames=data.stored_frames,
                dicom=DICOM.match(head_of(path)) is not None,
            )
        except VideoError as problem:
            raise UserError(f"this file cannot be searched with: {problem}") from None
    return frames, _times_at(info.times_ms, info.frames, len(frames))


def _times_at(times_ms: Sequence[float] | None, total: int, kept: int) -> Any:
    """Return the times of the frames that were kept, whether all were or some."""
    if times_ms is None or len(times_ms) == kept:
        return times_ms if times_ms is None else np.asarray(times_ms)
    return np.asarray(times_ms)[evenly_spaced(total, kept)]
