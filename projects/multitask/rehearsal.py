"""Multitask pretraining tried once before any video is decoded."""

from cinelex.config.schema import RunConfig
from cinelex.core.errors import about
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.masked_task import masked_task_of
from cinelex.projects.multitask.view_task import check_view_attention
from cinelex.projects.studies.parts import build_video_text
from cinelex.projects.studies.rehearsal import rehearse_studies


def rehearse_multitask(config: RunConfig) -> None:
    """Try the model on one study, and what is masked of it."""
    model, batch = rehearse_studies(config, build_video_text)
    assert isinstance(model, VideoText)
    check_view_attention(config, model)
    task = masked_task_of(config, model)
    if task is not None:
        with about("model.mask_ratio"):
            task.draw(batch)
