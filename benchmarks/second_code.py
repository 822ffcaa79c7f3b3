"""How defects of the second list are put back: contexts in which the code is as it was found."""

import csv
import functools
import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.defect_code import Context, patched
from cinelex.config.schema import RunConfig
from cinelex.core.csv_text import csv_text
from cinelex.data.synthetic.cines import studies as cine_studies
from cinelex.data.synthetic.cines import study_set
from cinelex.data.synthetic.cines.cine import render_cine
from cinelex.data.synthetic.hospital.beams import draw_beam
from cinelex.data.text.tokenizer import TrainedTokenizer
from cinelex.data.video import frame_store
from cinelex.data.video.videos import StoredVideos
from cinelex.models.transformers_vision import TransformersVision
from cinelex.projects.multitask.project import MultitaskProject
from cinelex.projects.studies import data as study_data

SMALLEST = 32
"""Rows of the smallest cines that are made; a tower may be shown them smaller."""
Row = dict[str, str]


@contextmanager
def shown_smaller() -> Iterator[None]:
    """Make cines of 32 pixels for a tower that takes fewer."""
    whole = study_data.make_cines

    def make(config: RunConfig) -> study_data.MadeSet:
        larger = config.data.model_copy(update={"size": SMALLEST})
        return whole(config.model_copy(update={"data": larger}))

    with mock.patch.object(study_data, "make_cines", make):
        yield


def tower(change: Callable[[TransformersVision], None]) -> Context:
    """Return a context in which a pretrained tower is changed once its weights are there."""
    whole = TransformersVision.__init__

    @functools.wraps(whole)  # options are checked against the signature
    def init(self: TransformersVision, **named: Any) -> None:
        whole(self, **named)
        change(self)

    @contextmanager
    def context() -> Iterator[None]:
        with shown_smaller(), mock.patch.object(TransformersVision, "__init__", init):
            yield

    return context


def normalised_twice(built: TransformersVision) -> None:
    """Take the encoder's mean and deviation off pixels as if nobody had taken any off before."""
    built.normalize.expect = lambda **_: None  # type: ignore[method-assign]


def initialised_last(built: TransformersVision) -> None:
    """Draw the layers' weights behind those of the checkpoint."""
    for part in built.get_submodule(built.trunk).modules():
        if isinstance(part, nn.Linear):
            part.reset_parameters()


def told(columns: Callable[[int, Row], Row]) -> Context:
    """Return a context in which the manifest has further columns, made of a row and its place."""
    whole = study_data.make_cines

    def make(config: RunConfig) -> study_data.MadeSet:
        path, named = whole(config)
        rows = list(csv.DictReader(path.read_text().splitlines()))
        wider = [{**row, **columns(place, row)} for place, row in enumerate(rows)]
        other = path.with_name(f"{config.name}.csv")
        cells = [list(wider[0]), *(list(row.values()) for row in wider)]
        other.write_text(csv_text(cells))
        return other, named

    return patched(study_data, "make_cines", make)


def site_of_split(_: int, row: Row) -> Row:
    """Keep the test studies for a site of their own."""
    return {"site": "elsewhere" if row["split"] == "test" else "here"}


def late_arrivals(place: int, row: Row) -> Row:
    """Date the test studies behind those of training, of which one in twenty came in late."""
    late = row["split"] != "train" or place % 20 == 0
    return {"date": f"{2024 if late else 2023}-{1 + place % 12:02d}-{1 + place % 28:02d}"}


def shown(change: Callable[[int, np.ndarray], np.ndarray]) -> Context:
    """Return a context in which stored frames are changed, knowing their place in the store."""
    whole = frame_store.FrameStore.frames_of

    def frames_of(self: Any, stored: frame_store.Stored, indices: Any = None) -> np.ndarray:
        frames = change(stored.offset // stored.bytes, np.array(whole(self, stored, None)))
        return frames if indices is None else frames[list(indices)]

    return patched(frame_store.FrameStore, "frames_of", frames_of)


def each_frame_twice(_: int, frames: np.ndarray) -> np.ndarray:
    """Fill a rate twice as high by repeating frames."""
    return frames[np.arange(len(frames)) // 2 * 2]


def screens(place: int, frames: np.ndarray) -> np.ndarray:
    """Show an ultrasound beam on a screen whose gray is that of its machine."""
    size = frames.shape[1]
    mask = draw_beam(0, size, size, np.random.default_rng(0)).mask(size, size)[..., None]
    speckle = np.random.default_rng(place).integers(60, 255, size=frames.shape)
    return np.where(mask, speckle, 30 * (place % 4)).astype(np.uint8)


def paces(self: StoredVideos, video: Any) -> np.ndarray:
    """Return times of machines of which every other one films at a fifth of the rate."""
    frames = self.store.stored(self.row(video)).shape[0]
    return np.arange(frames) * (33.0 if self.row(video) % 2 else 165.0)


@contextmanager
def by_severity() -> Iterator[None]:
    """Render a study the brighter, the narrower its worst segment: a machine for the sick."""

    def render(cine: Any, settings: Any) -> np.ndarray:
        worst = max(cine.findings.lesions.values(), default=0)
        return np.float32(0.6) * render_cine(cine, settings) + np.float32(0.004 * worst)

    here = mock.patch.object(study_set, "SMALL", float("inf"))  # other processes know no patches
    with here, mock.patch.object(cine_studies, "render_cine", render):
        yield


class DeadBranch(nn.Module):
    """A head beside which a branch stands whose units no input turns on."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.straight, self.branch = nn.Linear(width, dim), nn.Linear(width, dim)
        nn.init.constant_(self.branch.bias, -1e4)

    def forward(self, rows: Tensor) -> Tensor:
        """Return what the head makes of rows."""
        added: Tensor = self.straight(rows) + torch.relu(self.branch(rows))
        return added


def one_number() -> AbstractContextManager[Any]:
    """Read every number of a report as the same token."""
    whole = TrainedTokenizer.encode
    return mock.patch.object(
        TrainedTokenizer, "encode", lambda self, text: whole(self, re.sub(r"\d+", "50", text))
    )


def stalling() -> AbstractContextManager[Any]:
    """Let every tenth batch take two seconds."""
    whole = MultitaskProject.batches

    def batches(self: Any, start_step: int) -> Iterator[Any]:
        for number, batch in enumerate(whole(self, start_step)):
            time.sleep(2.0 if number % 10 == 9 else 0.0)
            yield batch

    return mock.patch.object(MultitaskProject, "batches", batches)


def keeping_everything() -> Callable[..., None]:
    """Return what keeps 24 MiB of every step."""
    kept, size = list[Tensor](), itertools.repeat(6 << 20)

    def keep(*_: Any) -> None:
        kept.append(torch.ones(next(size)))

    return keep
