"""The section of a config that says what masked modelling predicts of the tokens it hides."""

from typing import Literal, Self

from pydantic import model_validator

from cinelex.config.strict import Schedule, Strict, ValueOrSchedule


class MaskedModelingConfig(Strict):
    """What is predicted; which tokens are hidden stands in ``model``."""

    target: Literal["pixels", "latent"] = "pixels"
    """``pixels``: the hidden pixels. ``latent``: what a teacher, a moving average of the video
    encoder that sees the whole clip, makes of the hidden tokens."""
    ema: ValueOrSchedule = Schedule(start=0.99, end=1.0)
    """Share of the teacher's weights that a step leaves, 0 to 1; read for ``latent``."""
    error: Literal["smooth_l1", "squared"] = "smooth_l1"
    """What a wrong number of a token costs; read for ``latent``."""
    visible: bool = False
    """Predict the teacher's tokens where the encoder looked, too; needs ``latent``."""

    @model_validator(mode="after")
    def check_target(self) -> Self:
        """Refuse a share above 1, and visible pixels, which there is nothing to learn from."""
        shares = (self.ema.start, self.ema.end) if isinstance(self.ema, Schedule) else (self.ema,)
        if max(shares) > 1:
            raise ValueError(f"ema must be between 0 and 1, got {max(shares)}")
        if self.visible and self.target == "pixels":
            raise ValueError("visible needs target: latent; visible pixels are known")
        return self
