"""The section of a config that says how held-out studies are scored and captions chosen."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from cinelex.config.strict import Count, CountOrZero, Positive, Strict

NullName = Literal[
    "blank_video",
    "shuffled_frames",
    "reversed_video",
    "first_frame",
    "other_sample",
    "permuted_pixels",
    "metadata",
]
NULLS: tuple[NullName, ...] = get_args(NullName)


class GenerationConfig(Strict):
    """How the caption decoder chooses; the likeliest token each time unless told otherwise."""

    beams: Annotated[int, Field(ge=1, le=64)] = 1
    """Beginnings that are kept of each caption; captions that state what heads found have one."""
    n_best: Count = 1
    """Captions that are kept of each study, the best first, up to ``beams``; the best is scored.
    One where captions state what heads found (``facts.constrain``)."""
    length_penalty: float = 1.0
    """Power of its length that divides a caption's log-likelihood; read where there are beams."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Draw each token from the likeliest ones that hold this share together; null draws none."""
    temperature: Positive = 1.0
    """Divisor of the logits that tokens are drawn from."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse beams that are drawn, and more captions than beams."""
        if self.n_best > self.beams:
            raise ValueError("n_best captions need as many beams; raise beams")
        if self.top_p is not None and self.beams > 1:
            raise ValueError("top_p draws tokens and beams compare captions; set one of them")
        return self


class EvaluationConfig(Strict):
    """How the held-out studies are scored."""

    batch: Count = 32
    """Studies that are encoded at once on a process; the results do not depend on it."""
    max_new_tokens: Count = 128
    """Tokens after which a generated report ends."""
    generation: GenerationConfig = GenerationConfig()
    """How each of them is chosen."""
    bootstrap: Count = 1000
    """Resamples of the held-out studies behind each 95 % interval."""
    checkpoint: Literal["auto", "newest", "best"] = "auto"
    """Which checkpoint is evaluated; the best is that of ``keep_best``, and ``auto`` takes it where
    the run kept one."""
    facts: Literal["coronary", "engraving", "none"] = "coronary"
    """Kind of facts that captions are scored by; ``none`` leaves the scores of text."""
    nulls: list[NullName] = list(NULLS)
    """What every score is set beside, where the project shows pictures or videos: the same score
    with blank video, with frames shuffled or reversed, with the first frame alone, with the picture
    of another sample or its pixels permuted, and from metadata alone."""
    report_examples: CountOrZero = 6
    """Best and worst studies that are kept to look at."""
