"""Vectors of studies, and of each of their videos by itself."""

from collections.abc import Iterator, Sequence

import torch

from cinelex.data.batch import Batch
from cinelex.data.loader import evaluation_batches
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import Decoded
from cinelex.data.video.transforms import to_float
from cinelex.library.vectors import Rows
from cinelex.projects.studies.encoding import kept_of
from cinelex.projects.studies.stored import sampling_of
from cinelex.trained.run import TrainedRun


def batches_of(
    run: TrainedRun, found: Decoded, views: Sequence[str], *, batch: int
) -> Iterator[Batch]:
    """Yield studies with all their videos, as evaluation sees them."""
    dataset = StudyDataset(
        found.studies,
        found.store,
        run.tokenizer,
        sampling=sampling_of(run.config.data),
        max_videos=run.config.data.max_videos,
        seed=run.config.seed,
        evaluation_videos=int(found.studies.video_counts.max()),
        views=views,
    )
    return evaluation_batches(dataset, batch=batch)


@torch.no_grad()
def encode(run: TrainedRun, batch: Batch) -> tuple[Rows, Rows]:
    """Return the unit vector of each study, and of each of its videos as if it were all of it."""
    model = run.model
    device = next(model.parameters()).device
    batch = batch.to(device)
    clips = to_float(batch.clips)
    features = model.encode_clips(clips, kept_of(batch))
    each = run.config.data.sampling.evaluation_clips
    video = torch.arange(len(clips) // each, device=device).repeat_interleave(each)
    most = max(batch.clip_counts)
    whole = model.finish_study(features, clips, batch.owner, studies=batch.studies, max_clips=most)
    single = model.finish_study(features, clips, video, studies=len(clips) // each, max_clips=each)
    return whole.study.float().cpu().numpy(), single.study.float().cpu().numpy()
