"""The temperature that divides cosines: learned or set, and never out of its range."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.core.sharding import whole


class Temperature(nn.Module):
    """Hold the logarithm of the temperature; the value that comes out is always in range.

    A learned temperature that has left the range gets the gradient that leads back in, and none
    that leads further out, so that it can neither run away nor get stuck.
    """

    def __init__(
        self, *, start: float, learned: bool, allowed: tuple[float, float] = (0.01, 10.0)
    ) -> None:
        """Start at a temperature.

        Args:
            start: The divisor of the cosines at the first step.
            learned: A parameter if True; otherwise it changes by ``set`` alone.
            allowed: Lowest and highest temperature.

        Raises:
            UserError: The start is out of range, or the range is empty or reaches 0.
        """
        super().__init__()
        low, high = allowed
        if not 0 < low <= start <= high:
            raise UserError(
                f"temperature {start} is not within its range {low} to {high}; it divides the "
                "cosines, so 0.05 to 0.2 is usual"
            )
        self.bounds = (math.log(low), math.log(high))
        # a row of one: what is sharded over processes has an axis
        value = torch.tensor([math.log(start)])
        if learned:
            self.log_temperature = nn.Parameter(value)
        else:
            self.register_buffer("log_temperature", value)

    def forward(self) -> Float[Tensor, ""]:
        """Return the temperature, in fp32."""
        kept = whole(self.log_temperature).squeeze()
        value: Tensor = _ClampInward.apply(kept, *self.bounds)
        return value.exp()

    @torch.no_grad()
    def set(self, temperature: float) -> None:
        """Move to a temperature, as a schedule does; it is clamped when it is read."""
        self.log_temperature.fill_(math.log(temperature))


class _ClampInward(torch.autograd.Function):
    """Clamp; the gradient passes inside the range, and outside where descent leads back in."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(value)
        ctx.bounds = low, high
        return value.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (value,) = ctx.saved_tensors
        low, high = ctx.bounds
        (gradient,) = gradients
        outward = ((value <= low) & (gradient > 0)) | ((value >= high) & (gradient < 0))
        return gradient.masked_fill(outward, 0.0), None, None
