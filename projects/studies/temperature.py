"""The temperature of a step: learned, constant or scheduled."""

from collections.abc import Mapping

import torch
from torch import Tensor

from cinelex.config.schedule import value_at
from cinelex.config.schema import RunConfig, Schedule
from cinelex.models.temperature import Temperature


@torch.no_grad()
def set_temperature(
    temperature: Temperature, config: RunConfig, *, step: int
) -> Mapping[str, Tensor | float]:
    """Set a scheduled temperature, and return that of optimizer step ``step`` for its record."""
    if isinstance(config.temperature, Schedule):
        temperature.set(value_at(config.temperature, step=step, steps=config.steps))
    return {"temperature": temperature().detach()}
