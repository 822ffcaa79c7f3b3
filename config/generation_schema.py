"""The section of a config that says how captions are chosen."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Positive, Strict


class GenerationConfig(Strict):
    """How the caption decoder chooses; the likeliest token each time unless told otherwise."""

    beams: Annotated[int, Field(ge=1, le=64)] = 1
    """Beginnings that are kept of each caption; captions that state what heads found have one."""
    length_penalty: float = 1.0
    """Power of its length that divides a caption's log-likelihood; read where there are beams."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    """Draw each token from the likeliest ones that hold this share together; null draws none."""
    temperature: Positive = 1.0
    """Divisor of the logits that tokens are drawn from."""

    @model_validator(mode="after")
    def check_one(self) -> Self:
        """Refuse beams that are drawn."""
        if self.top_p is not None and self.beams > 1:
            raise ValueError("top_p draws tokens and beams compare captions; set one of them")
        return self
