"""What is made of a fresh model before its first step: kept features, and a solved closed form."""

from collections.abc import Callable, Sequence
from typing import Any

from cinelex.core.errors import UserError
from cinelex.models.video_text import VideoText
from cinelex.projects.studies.closed_form import Known, solve_closed_form
from cinelex.projects.studies.features import keep_features
from cinelex.projects.studies.floors import Texts
from cinelex.projects.studies.project import ClipTextProject


def make_ready(
    project: ClipTextProject[Any, VideoText],
    model: VideoText,
    texts: Callable[[Any], Sequence[Texts]],
    *,
    pixels_for: str | None,
) -> list[str]:
    """Run frozen towers once, and then solve the closed form that the model may have.

    Arguments and result are those of `keep_features`; ``texts`` returns the tokens of the texts of
    each sample of a split.
    """
    config, data = project.config, project.data
    train, known = data.train, data.known
    splits = [train, data.validation, data.test, *([] if known is train else [known])]
    kept = keep_features(config, model, splits, pixels_for=pixels_for)
    if model.closed_form is not None and project.trial.form is model.closed_form:
        return kept  # solved already
    every, fewer = (Known(some, texts(some), some.kept_texts) for some in (known, train))
    less, size = None if known is train else fewer, config.evaluation.batch
    project.trial = solve_closed_form(model, every, less, batch=size, seed=config.seed)
    if project.trial.again and not (data.validation and config.validate_every and config.keep_best):
        raise UserError(
            "model.closed_form.inputs: features of a trained tower are solved again at each "
            "validation; set validate_every, keep_best=retrieval/mrr, data.validation_share; or "
            "video_frozen=all"
        )
    return kept
