"""Studies whose videos are in the store, ready to be sampled."""

import numpy as np
import torch
from jaxtyping import UInt8

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.batch import Sample
from cinelex.data.studies.studies import Studies
from cinelex.data.studies.study import Study
from cinelex.data.studies.tokens import Tokens, encoded_reports
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.data.video.videos import StoredVideos

EVALUATION_VIDEOS = 64


class StudyDataset:
    """The studies of one split.

    Training draws at most ``max_videos`` videos of a study, and one place in every segment for the
    frames of each, from keys of (seed, epoch, study, video). Evaluation takes all videos, up to
    ``evaluation_videos`` evenly spaced ones, and the centres of the segments.
    """

    def __init__(
        self,
        studies: Studies,
        store: StoredVideos,
        tokenizer: Tokenizer,
        *,
        frames: int,
        max_videos: int,
        seed: int,
        evaluation_videos: int = EVALUATION_VIDEOS,
        tokens: Tokens | None = None,
    ) -> None:
        """Encode all reports, unless that was done already, and number the groups.

        Raises:
            UserError: There is no study, or one has no video in the store (see ``decoded``).
        """
        if not len(studies):
            raise UserError("the split has no study; check the manifest's split column")
        absent = int((~store.holds(studies.video_names)).sum())
        if absent:
            raise UserError(f"{absent} videos are not in the store; drop them with `decoded` first")
        if min(frames, max_videos, evaluation_videos) < 1:
            raise UserError("frames, max_videos and evaluation_videos must be at least 1")
        self.studies, self.store, self.tokenizer, self.seed = studies, store, tokenizer, seed
        self.frames, self.max_videos, self.evaluation_videos = frames, max_videos, evaluation_videos
        self.token_ids = encoded_reports(studies, tokenizer) if tokens is None else tokens
        self.report_groups = studies.report_groups()
        self.patient_groups = studies.patient_groups()

    def __len__(self) -> int:
        return len(self.studies)

    def sample(self, index: int, *, epoch: int | None) -> Sample:
        """Return one study as training sees it in an epoch, or as evaluation does (None)."""
        study = self.studies[index]
        indices = self._videos(study, epoch)
        moment = "evaluation" if epoch is None else epoch
        keys = [keyed_seed(self.seed, moment, study.id, n) for n in indices]
        draws = [None if epoch is None else (key >> 10) / 2**53 for key in keys]
        clips: UInt8[np.ndarray, "clip frame row column channel"] = np.stack(
            [
                self.store.clip(study.videos[n], frames=self.frames, draw=draw)
                for n, draw in zip(indices, draws, strict=True)
            ]
        )
        return Sample(
            study_id=study.id,
            clips=torch.from_numpy(clips),
            token_ids=torch.from_numpy(self.token_ids[index]),
            report_group=int(self.report_groups[index]),
            patient_group=int(self.patient_groups[index]),
            keys=torch.tensor(keys),
        )

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
