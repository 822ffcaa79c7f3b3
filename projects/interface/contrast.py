"""What is known of each form of a contrast between the samples of a batch, before any step."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from cinelex.metrics.nulls import (
    infonce_chance,
    infonce_chance_of,
    infonce_floor,
    infonce_in_chance_of,
    sigmoid_chance_of,
    sigmoid_floor,
    sigmoid_start,
)


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """A form of contrast, by what it costs in nats a sample."""

    formula: str
    """What `chance` and `floor` compute."""
    chance: Callable[[int], float]
    """From the samples of the global batch to what a model costs that scores all pairs alike."""
    chance_of: Callable[[Tensor, Tensor], float]
    """The same from the pairs of a batch that are positive, and from those that are left out."""
    floor: Callable[[int, float], float]
    """From samples and temperature to the least that any unit embeddings reach."""
    shares_positives: bool = False
    """Whether each of several positives must get its share, which costs at any temperature."""
    start_bias: Callable[[int], float | None] = lambda samples: None
    """From samples to the bias that the logits begin with; None where there is none."""


INFONCE = Contrast(
    formula="chance ln N, floor ln(1 + (N-1) exp(-N/((N-1) t)))",
    chance=infonce_chance,
    chance_of=infonce_chance_of,
    floor=infonce_floor,
    shares_positives=True,
)
INFONCE_IN = Contrast(
    formula=INFONCE.formula,
    chance=infonce_chance,
    chance_of=infonce_in_chance_of,
    floor=infonce_floor,
)
SIGLIP = Contrast(
    formula="chance ln N + (N-1) ln(N/(N-1)), floor at the best bias on a regular simplex",
    chance=sigmoid_start,
    chance_of=sigmoid_chance_of,
    floor=sigmoid_floor,
    start_bias=lambda samples: -math.log(samples - 1) if samples > 1 else None,
)
