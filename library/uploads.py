"""Files that somebody drops on the page: limited, decoded in children, and soon forgotten.

Their bytes are deleted as soon as they are decoded; frames stay in memory for a while.
"""

import hashlib
import queue
import secrets
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from cinelex.config.schema import DataConfig
from cinelex.core.children import Child, ChildDiedError, ChildLateError
from cinelex.core.errors import UserError
from cinelex.data.video.decode import Limits, VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.resize import Shape, reshape_frame
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
            is_dicom = DICOM.match(head_of(path)) is not None
            frames, times = (_dicom if is_dicom else _video)(path, self._data)
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


def _shape(data: DataConfig) -> Shape:
    return Shape(size=data.size, channels=data.channels)


def _video(path: Path, data: DataConfig) -> tuple[Frames, Any]:
    """Decode a video file in a child that is gone afterwards."""
    limits = Limits(max_pixels=MAX_PIXELS, max_frames=MAX_FRAMES, deadline_s=DEADLINE_S)
    with ChildDecoder(limits, backend=data.decoder, device=data.decoder_device) as decoder:
        try:
            info, frames = decoder.read_stored(
                path, shape=_shape(data), stored_frames=data.stored_frames
            )
        except VideoError as problem:
            raise UserError(f"this file cannot be searched with: {problem}") from None
    return frames, _times_at(info.times_ms, info.frames, len(frames))


def _times_at(times_ms: Sequence[float] | None, total: int, kept: int) -> Any:
    """Return the times of the frames that were kept, whether all were or some."""
    if times_ms is None or len(times_ms) == kept:
        return times_ms if times_ms is None else np.asarray(times_ms)
    return np.asarray(times_ms)[[(2 * n + 1) * total // (2 * kept) for n in range(kept)]]


def _dicom(path: Path, data: DataConfig) -> tuple[Frames, Any]:
    """Decode a DICOM cine in a child: its sector or field alone, without what is burned in."""
    with (
        tempfile.TemporaryDirectory(prefix="cinelex-") as folder,
        closing(Child("cinelex.data.prepare.child")) as child,
    ):
        about = {"path": path.name, "file": str(path)}
        inspected = _ask(child, {"do": "inspect", "root": str(path.parent), "items": [about]})
        record = inspected.get("record") or {}
        if record.get("kind") != "cine":
            raise _refused(record.get("reason") or "unreadable")
        request = {
            "do": "decode",
            "items": [about | {"record": record}],
            "store": folder,
            "part": "upload",
            "salt": secrets.token_hex(16),
            "format": 1,
            "min_confidence": 0.0,
            "approved": [],
        }
        decoded = _ask(child, request)
        if not decoded.get("stored"):
            raise _refused(decoded.get("reason") or "unreadable")
        store = FrameStore(folder)
        shape, frames = _shape(data), store.frames(decoded["key"])
        kept = np.stack([reshape_frame(frame, shape=shape) for frame in frames])
        return kept, np.asarray(decoded["times_ms"]) if decoded["times_ms"] else None


def _ask(child: Child, request: dict[str, Any]) -> dict[str, Any]:
    """Return the first answer, when the last one is there as well."""
    try:
        return list(child.ask(request, answers=2, deadline_s=DEADLINE_S))[0]
    except (ChildDiedError, ChildLateError):
        raise UserError("this DICOM file was not decoded in time; try a shorter cine") from None


def _refused(reason: str) -> UserError:
    words = reason.replace("_", " ")
    return UserError(f"this DICOM file cannot be searched with ({words}); drop a cine of US or XA")
