"""Studies whose videos are in the store, ready to be sampled."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Sample
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Study
from cinelex.data.studies.tokens import Tokens, encoded_reports
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import StoredVideos

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
        self.views = tuple(views)
        self._view_numbers = {name: number for number, name in enumerate(views, 1)}

    def __len__(self) -> int:
        return len(self.studies)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one study as training sees it in an epoch, or as evaluation does (None)."""
        study = self.studies[index]
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
        clips: UInt8[np.ndarray, "clip frame row column channel"] = np.stack(
            [
                self.store.clip(
                    study.videos[n],
                    self.sampling,
                    draw=self.sampling.draw_of(clip) if epoch is None else (key >> 10) / 2**53,
                )
                for (n, clip), key in zip(cuts, keys, strict=True)
            ]
        )
        return Sample(
            study_id=study.id,
            clips=torch.from_numpy(clips),
            token_ids=torch.from_numpy(self.token_ids[index]),
            report_group=int(self.report_groups[index]),
            patient_group=int(self.patient_groups[index]),
            keys=torch.tensor(keys),
            views=self._view_ids(study, [n for n, _ in cuts]),
            angles=self._angles(study, [n for n, _ in cuts]),
        )

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
            taken = min(count, self.evaluation_videos)
            return [(2 * n + 1) * count // (2 * taken) for n in range(taken)]
        if count <= self.max_videos:
            return list(range(count))
        turns = [keyed_seed(self.seed, epoch, study.id, n, "videos") for n in range(count)]
        return sorted(np.argsort(turns, kind="stable")[: self.max_videos].tolist())
