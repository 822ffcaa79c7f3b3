"""The models of studies and reports, by the project that trains them, without its data."""

from collections.abc import Callable

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.models.study_model import StudyModel
from cinelex.projects.latent.parts import build_latent_captioner
from cinelex.projects.studies.parts import build_video_text

STUDY_MODELS: dict[str, Callable[[RunConfig, Tokenizer], StudyModel]] = {
    "multitask": build_video_text,
    "latent": build_latent_captioner,
}


def build_study_model(config: RunConfig, tokenizer: Tokenizer) -> StudyModel:
    """Return the model that a config describes, freshly initialised.

    Raises:
        UserError: The project trains no model of studies and reports.
    """
    if config.project not in STUDY_MODELS:
        raise UserError(
            f"project {config.project} has no model of studies and reports; there are "
            f"{', '.join(sorted(STUDY_MODELS))}"
        )
    return STUDY_MODELS[config.project](config, tokenizer)
