"""Studies whose videos are in the store, ready to be sampled."""

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Sample
from cinelex.data.features.clips import clips_of, distinct
from cinelex.data.features.store import FeatureStore, text_key
from cinelex.data.studies.choice import ViewChoice
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Study
from cinelex.data.studies.tokens import Tokens, encoded_reports
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.frames import evenly_spaced
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import REMEMBERED, StoredVideos

EVALUATION_VIDEOS = 64


class StudyDataset:
    """The studies of one split.

    Training draws at most ``max_videos`` videos of a study, and the place of each clip's frames,
    from keys of (seed, epoch, study, video, clip). Evaluation takes all videos, up to
    ``evaluation_videos`` evenly spaced ones, and the middle of the video or of its segments.
    """

    def __init__(
        self,
        studies: Studies,
        store: StoredVideos,
        tokenizer: Tokenizer,
        *,
        sampling: Sampling,
        max_videos: int,
        seed: int,
        evaluation_videos: int = EVALUATION_VIDEOS,
        tokens: Tokens | None = None,
        views: Sequence[str] = (),
        choice: ViewChoice = ViewChoice(),  # noqa: B008 - frozen
    ) -> None:
        """Encode all reports, unless that was done already, and number groups and views.

        ``views`` are those that get a number, from 1; others and unknown ones are 0.

        Raises:
            UserError: There is no study, or one has no video in the store (see ``decoded``).
        """
        if not len(studies):
            raise UserError("the split has no study; check the manifest's split column")
        absent = int((~store.holds(studies.video_names)).sum())
        if absent:
            raise UserError(f"{absent} videos are not in the store; drop them with `decoded` first")
        if min(sampling.frames, max_videos, evaluation_videos) < 1:
            raise UserError("frames, max_videos and evaluation_videos must be at least 1")
        untimed = 0 if sampling.seconds is None else store.untimed(studies.video_names)
        if untimed:
            raise UserError(
                f"data.sampling.kind: {untimed} of {len(studies.video_names)} videos have no frame "
                "times, which time needs; leave them out of the manifest, or set "
                "data.sampling.kind=segments"
            )
        self.studies, self.store, self.tokenizer, self.seed = studies, store, tokenizer, seed
        self.sampling, self.max_videos = sampling, max_videos
        self.evaluation_videos = evaluation_videos
        self.token_ids = encoded_reports(studies, tokenizer) if tokens is None else tokens
        self.report_groups = studies.report_groups()
        self.patient_groups = studies.patient_groups()
        self.views, self.choice = tuple(views), choice
        self.kept_clips: FeatureStore | None = None
        """What a frozen video tower made of every clip that may be asked for."""
        self.pixels_evaluated = False
        """Whether evaluation reads pixels even where features are kept."""
        self.kept_texts: FeatureStore | None = None
        """What a frozen text tower made of every report."""
        self._view_numbers = {name: number for number, name in enumerate(views, 1)}
        self._study = lru_cache(REMEMBERED)(studies.__getitem__)
        self._about = lru_cache(REMEMBERED)(self._described)

    def __len__(self) -> int:
        return len(self.studies)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one study as training sees it in an epoch, or as evaluation does (None)."""
        study = self._study(index)
        indices = self._videos(study, epoch)
        moment = "evaluation" if epoch is None else epoch
        cuts = [
            (n, clip)
            for n in indices
            for clip in range(self.sampling.clips(training=epoch is not None))
        ]
        keys = [
            keyed_seed(self.seed, moment, study.id, n, *([clip] if clip else []))
            for n, clip in cuts
        ]
        draws = [
            self.sampling.draw_of(clip) if epoch is None else self.sampling.training_draw(key)
            for (_, clip), key in zip(cuts, keys, strict=True)
        ]
        chosen = [(study.videos[n], draw) for (n, _), draw in zip(cuts, draws, strict=True)]
        about, text = self._about(index, tuple(n for n, _ in cuts))
        return Sample(
            **about,
            **clips_of(
                self.store,
                self.sampling,
                chosen,
                kept=self.kept_clips,
                pixels=self.pixels_evaluated and epoch is None,
            ),
            text_features=self.kept_texts.read(text) if self.kept_texts else None,
            keys=torch.tensor(keys),
        )

    def of_pixels(self) -> "StudyDataset":
        """Return the same studies with their pixels, whatever is kept of frozen towers."""
        plain = copy.copy(self)
        plain.kept_clips = plain.kept_texts = None
        return plain

    def texts(self) -> Iterator[Int[Tensor, " token"]]:
        """Yield the tokens of every report."""
        return (torch.from_numpy(token_ids) for token_ids in self.token_ids)

    def cuts(self, *, training: bool) -> Iterator[tuple[Path, list[list[int]] | None]]:
        """Yield every video with the clips that may be asked for, as frames; see ``possible``."""
        clips = range(self.sampling.clips(training=False))
        for study in self.studies:
            for video in study.videos:
                found = self.store.possible(video, self.sampling) if training else []
                seen = [
                    self.store.indices(video, self.sampling, draw=self.sampling.draw_of(clip))
                    for clip in clips
                ]
                yield video, None if found is None else distinct([*found, *seen])

    def _described(self, index: int, videos: Sequence[int]) -> tuple[Mapping[str, Any], str]:
        """Return what a sample holds beside what it shows, and the key of its text's features.

        Args:
            index: The study.
            videos: The video that each clip shows.
        """
        study, token_ids = self._study(index), torch.from_numpy(self.token_ids[index])
        about = {
            "study_id": study.id,
            "token_ids": token_ids,
            "report_group": int(self.report_groups[index]),
            "patient_group": int(self.patient_groups[index]),
            "views": self._view_ids(study, videos),
            "angles": self._angles(study, videos),
        }
        return about, text_key(token_ids)

    def _view_ids(self, study: Study, indices: Sequence[int]) -> Int[Tensor, " clip"]:
        names = study.views or [""] * len(study.videos)
        return torch.tensor([self._view_numbers.get(names[n], 0) for n in indices])

    def _angles(self, study: Study, indices: Sequence[int]) -> Float[Tensor, "clip two"]:
        known = study.angles or [(None, None)] * len(study.videos)
        pairs = [[math.nan if angle is None else angle for angle in known[n]] for n in indices]
        return torch.tensor(pairs, dtype=torch.float32)

    def _videos(self, study: Study, epoch: int | None) -> list[int]:
        """Return the indices of the videos of a study that are taken, in order."""
        count = len(study.videos)
        if epoch is None:
            return evenly_spaced(count, self.evaluation_videos)
        if count <= self.max_videos and not self.choice.dropout:
            return list(range(count))
        turns = [keyed_seed(self.seed, epoch, study.id, n, "videos") for n in range(count)]
        key = (self.seed, epoch, study.id)
        return self.choice.take(turns, study.views, self.max_videos, key=key)
