"""The section of a config that says how the parameters move."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.strict import CountOrZero, NotNegative, Positive, Strict

Beta = Annotated[float, Field(ge=0.0, lt=1.0)]


class PartOptimizer(Strict):
    """How one part of the model moves, where it is not as the rest."""

    learning_rate: Positive | None = None
    """Its peak, over the same course; null leaves the one that it has without this."""
    muon_learning_rate: Positive | None = None
    """Moves its fresh matrices, convolutions among them, by Muon at this peak, and what is left as
    the rest moves; null leaves that to ``optimizer.name``."""
    weight_decay: NotNegative | None = None
    """Of its matrices; null leaves that of the rest."""
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Factor of the learning rate from each block to the one before it, towards the input."""
    frozen_steps: CountOrZero = 0
    """Optimizer steps before it moves at all."""


class OptimizerConfig(Strict):
    """The optimizer, and the learning rate's way over the run."""

    name: Literal["adamw", "muon"] = "adamw"
    """``muon`` moves the matrices of linear layers by orthogonal steps, as long as AdamW's, and
    leaves the rest to AdamW."""
    schedule: Literal["cosine", "wsd", "constant"] = "cosine"
    """After warm-up: half a cosine; level, and a straight line down over the last steps (``wsd``);
    or level."""
    learning_rate: Positive = 1e-3
    """Learning rate at the end of warm-up."""
    pretrained_learning_rate: Positive = 3e-5
    """The same of what came with pretrained weights, and never above ``learning_rate``; adapters
    are fresh."""
    final_learning_rate: NotNegative = 1e-5
    """Learning rate at the last step, unless the schedule is constant; parts with another peak end
    at as large a share of it."""
    warmup_steps: CountOrZero = 0
    """Optimizer steps of linear warm-up before ``learning_rate`` is reached."""
    decay_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.2
    """Share of the run's steps, the last ones, over which ``wsd`` falls."""
    weight_decay: NotNegative = 0.05
    """Share of a matrix that is taken off per unit of learning rate."""
    betas: tuple[Beta, Beta] = (0.9, 0.98)
    """Memory of the running mean and of the running square of the gradient, as shares."""
    eps: Positive = 1e-6
    """Added to the root of the running square."""
    temperature_learning_rate: NotNegative = 1e-3
    """Peak learning rate of the temperature's logarithm and of the bias; they do not decay."""
    parts: dict[str, PartOptimizer] = {}
    """By the dotted name of a module of the model, such as ``video_encoder``; the longest name that
    fits a parameter counts."""

    @model_validator(mode="after")
    def check_rates(self) -> Self:
        """Refuse a learning rate that would grow along its way down."""
        if self.final_learning_rate > self.learning_rate:
            raise ValueError(
                f"final_learning_rate ({self.final_learning_rate}) must not exceed "
                f"learning_rate ({self.learning_rate})"
            )
        return self
