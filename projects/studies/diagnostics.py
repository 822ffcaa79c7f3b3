"""What the doctor wants to know of the studies of a run before the first step: numbers only."""

from typing import Any

from cinelex.config.schema import RunConfig
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.drift import split_diagnostics
from cinelex.projects.studies.sample_diagnostics import (
    leaked_videos,
    order_diagnostics,
    report_diagnostics,
    text_diagnostics,
    video_diagnostics,
)


def study_diagnostics(data: StudyData, config: RunConfig) -> dict[str, Any]:
    """Return the facts of a run's studies, reports and videos, by name.

    Args:
        data: The studies.
        config: The run.
    """
    train = data.train
    splits = [split for split in (data.validation, data.test) if split is not None]
    tested = [study for split in splits for study in split.studies]
    patients = {study.patient_id for study in train.studies}
    owned = [(index, video) for index, study in enumerate(train.studies) for video in study.videos]
    reports = train.studies.reports
    return {
        **report_diagnostics(train.report_groups, batch=config.batch),
        **leaked_videos(train.store, [v for _, v in owned], [study.videos for study in tested]),
        "data/held_out_of_training_patients": sum(s.patient_id in patients for s in tested),
        **video_diagnostics(train.store, owned, sampling=train.sampling),
        **text_diagnostics(train, data.sampler, reports, train.tokenizer),
        **order_diagnostics(data.sampler, samples=len(train)),
        **split_diagnostics(data, config.data),
    }


def view_diagnostics(data: StudyData) -> dict[str, Any]:
    """Return the share of training studies with one video, where any has several.

    A set of one video a study is whole.
    """
    lone = data.train.studies.video_counts == 1
    return {} if lone.all() else {"data/single_video_studies": float(lone.mean())}
