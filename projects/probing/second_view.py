"""What a study's second video adds to its first, under probes that were trained on all."""

from collections.abc import Mapping, Sequence

import numpy as np

from cinelex.config.schema import RunConfig
from cinelex.data.loader import Chosen
from cinelex.metrics.probing import resampled
from cinelex.models.probes import Probes
from cinelex.projects.interface.results import Group, Score
from cinelex.projects.probing.predictions import by_probe, probe_outputs
from cinelex.projects.probing.scoring import Answers, draw_scores, mean_scores
from cinelex.projects.probing.targets import Targets
from cinelex.projects.studies.data import StudyData


def second_view(
    config: RunConfig,
    data: StudyData,
    targets: Targets,
    model: Probes,
    probes: Sequence[str],
    answers: Mapping[str, Answers],
    before: np.ndarray,
) -> list[Group]:
    """Return each probe's mean scores from two videos beside those from the first alone.

    Only test studies with two videos or more are scored; nothing where fewer than two have them.

    Args:
        config: The run.
        data: Its studies.
        targets: What was asked.
        model: In evaluation mode.
        probes: The names of its probes.
        answers: What was said of whole studies, whose validation part chooses thresholds.
        before: Targets of the validation studies.
    """
    clips = data.test.sampling.clips(training=False)
    several = np.flatnonzero(data.test.studies.video_counts > 1).tolist()
    if len(several) < 2:
        return []
    some, size = Chosen(data.test, several), config.evaluation.batch
    ids = [data.test.studies.ids[n] for n in several]
    people = data.test.patient_groups[several]
    weights = resampled(people, resamples=config.evaluation.bootstrap, seed=config.seed)
    truth, drawn = targets.values(ids), {}
    for views in (1, 2):
        outputs = probe_outputs(model, some, batch=size, views=views * clips)
        for name, said in by_probe(probes, outputs, targets).items():
            one = Answers(validation=answers[name].validation, test=said)
            drawn[name, views] = draw_scores(
                targets, one, truth=truth, known_before=before, weights=weights
            )
    scores: list[Score] = []
    for name in probes:
        floors = {"first_video_alone": drawn[name, 1]}
        scores += mean_scores(targets, name, drawn[name, 2], floors, at="second_view")
    return [
        Group(
            title="A second view",
            note=f"{len(several)} test studies with two videos or more: the first two, beside the "
            "first alone.",
            scores=scores,
        )
    ]
