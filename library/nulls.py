"""What scores mean: what random pairs score, and what shuffled cines find at best in this library.

A text of made-up words is no null of a search by text: the text tower puts it as near to some study
as it puts a finding. Which words the reports hold tells them apart, and the page says that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from jaxtyping import Float32

from cinelex.core.files import read_json, write_json
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.transforms import to_float
from cinelex.library.library import Library
from cinelex.library.vectors import Rows
from cinelex.metrics.facts.claims import sentences
from cinelex.projects.studies.encoding import encode_texts
from cinelex.projects.studies.stored import sampling_of
from cinelex.trained.run import TrainedRun

Kind = Literal["text", "videos"]
NULLS = "nulls.json"
QUANTILES: Final = 2001
NONSENSE: Final = 99
"""Studies that are shuffled; the smallest p-value that they can give is one in 100."""
SENTENCES: Final = 256
BLOCKS: Final = 4
"""Each frame is cut into so many blocks along either side, and they are shuffled."""


@dataclass(frozen=True)
class Null:
    """What a score stands beside, for one kind of query."""

    pairs: Float32[np.ndarray, " quantile"]
    """Scores of random pairs of a query and a study that is not its own, rising."""
    nonsense: Float32[np.ndarray, " query"]
    """The best score in the whole library of each query that shows nothing, rising; empty where
    there is no such query."""

    def p_pair(self, score: float) -> float:
        """Return the share of random pairs that score at least as high."""
        return _above(self.pairs, score)

    def p_best(self, best: float) -> float:
        """Return the share of nonsense, or else of random pairs, that scores at least as high."""
        return _above(self.nonsense if len(self.nonsense) else self.pairs, best)


def _above(null: Float32[np.ndarray, " value"], score: float) -> float:
    reached = len(null) - int(np.searchsorted(null, score, side="left"))
    return (1 + reached) / (1 + len(null))


def load_nulls(folder: Path) -> dict[Kind, Null]:
    """Return what was measured of a library."""
    kept = read_json(folder / NULLS)
    kinds: tuple[Kind, Kind] = ("text", "videos")
    return {
        kind: Null(*(np.array(kept[kind][part], np.float32) for part in ("pairs", "nonsense")))
        for kind in kinds
    }


def measure(folder: Path, library: Library) -> None:
    """Measure both kinds for a library as it is now, and keep them."""
    nothing = np.zeros(0, np.float32)
    measured = {
        "text": {"pairs": _text_pairs(library), "nonsense": nothing},
        "videos": {
            "pairs": _study_pairs(library),
            "nonsense": _best(library, _shuffled_studies(library)),
        },
    }
    write_json(
        folder / NULLS,
        {
            kind: {part: np.sort(values).tolist() for part, values in parts.items()}
            for kind, parts in measured.items()
        },
    )


def text_rows(run: TrainedRun, texts: Sequence[str]) -> Rows:
    """Return the unit vector of each text."""
    tokens = [torch.tensor(run.tokenizer.encode(text)) for text in texts]
    with torch.no_grad():
        rows = encode_texts(run.model, tokens, pad_id=run.tokenizer.pad_id, kept=None, batch=64)
    return np.asarray(rows.float().numpy())


def _quantiles(values: Float32[np.ndarray, " value"]) -> Float32[np.ndarray, " quantile"]:
    if not len(values):
        return np.ones(1, np.float32)
    return np.quantile(values, np.linspace(0, 1, QUANTILES)).astype(np.float32)


def _text_pairs(library: Library) -> Float32[np.ndarray, " quantile"]:
    """Return scores of sentences of reports beside studies whose reports do not hold them."""
    cases = library.catalog.cases(library.vectors.sampled.tolist())
    said = list(dict.fromkeys(text for case in cases for text in sentences(case.report)))
    draw = np.random.default_rng(1)
    chosen = [said[place] for place in draw.permutation(len(said))[:SENTENCES]]
    if not chosen:
        return _quantiles(np.zeros(0, np.float32))
    scores = text_rows(library.run, chosen) @ library.vectors.random.T
    others = np.array([[text not in case.report for case in cases] for text in chosen])
    return _quantiles(scores[others])


def _study_pairs(library: Library) -> Float32[np.ndarray, " quantile"]:
    """Return scores of pairs of studies that are of other patients and have other reports."""
    cases = library.catalog.cases(library.vectors.sampled.tolist())
    reports = np.unique([case.report for case in cases], return_inverse=True)[1]
    patients = np.unique([case.patient for case in cases], return_inverse=True)[1]
    others = (reports[:, None] != reports) & (patients[:, None] != patients)
    rows = library.vectors.random
    return _quantiles((rows @ rows.T)[others])


def _best(library: Library, queries: Rows) -> Float32[np.ndarray, " query"]:
    allowed = library.catalog.current()
    best = [library.vectors.nearest(query, 1, allowed).scores[0] for query in queries]
    return np.array(best, np.float32)


@torch.no_grad()
def _shuffled_studies(library: Library) -> Rows:
    """Return vectors of studies whose frames were cut into blocks, and these shuffled."""
    draw = np.random.default_rng(3)
    run, stores = library.run, {name: FrameStore(name) for name in library.catalog.stores()}
    chosen = draw.choice(library.catalog.current(), NONSENSE)
    sampling, rows = sampling_of(run.config.data), []
    device = next(run.model.parameters()).device
    for case in library.catalog.cases(chosen.tolist()):
        clips = []
        for video in case.videos:
            store = stores[video.store]
            row = store.row(video.key)
            frames = store.read(row)
            taken = sampling.indices(len(frames), store.times_at(row), draw=None)
            clips.append(_shuffled(frames[taken], draw))
        levels = to_float(torch.from_numpy(np.stack(clips))).to(device)
        owner = torch.zeros(len(clips), dtype=torch.int64, device=device)
        rows.append(run.model.encode_study(levels, owner, studies=1).study[0].float().cpu())
    return torch.stack(rows).numpy()


def _shuffled(frames: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Return frames with their blocks in another order, the same in every frame."""
    side = frames.shape[1] // BLOCKS
    mixed = frames.copy()
    places = [(row * side, column * side) for row in range(BLOCKS) for column in range(BLOCKS)]
    for (row, column), other in zip(places, draw.permutation(len(places)), strict=True):
        top, left = places[other]
        mixed[:, row : row + side, column : column + side] = frames[
            :, top : top + side, left : left + side
        ]
    return mixed
