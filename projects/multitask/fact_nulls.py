"""What the facts of test studies would be by metadata alone."""

import numpy as np

from cinelex.config.schema import RunConfig
from cinelex.metrics.ridge import ridge_predictions
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_reading import Answers
from cinelex.projects.studies.beside import study_attributes, study_metadata
from cinelex.projects.studies.blind import METADATA
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.floors import numbers_of_metadata, rows_solved_on


def metadata_answers(config: RunConfig, data: StudyData, labels: FactLabels) -> dict[str, Answers]:
    """Return what ridge regression from metadata answers; nothing where that null is not asked for.

    A fact that a training report leaves open counts there as the mean of those that state it.
    """
    if METADATA not in config.evaluation.nulls:
        return {}
    train, test, indices = data.train, data.test, rows_solved_on(data.train)
    known = study_metadata(data, study_attributes(config, data))
    own, queries = numbers_of_metadata(train, indices, test, known, batch=config.evaluation.batch)
    truth = labels.values(train.studies.take(indices).ids)
    mean = labels.statistics.mean.numpy()
    targets = np.where(np.isfinite(truth), truth, mean).astype(np.float64)
    groups = train.patient_groups[indices]
    found = ridge_predictions(own, targets, queries, groups=groups, seed=config.seed)
    return {METADATA: found + targets.mean(axis=0)}
