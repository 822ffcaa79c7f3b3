"""What the device can do, and what to change where it cannot."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError


def uses_bf16(config: RunConfig, device: torch.device) -> bool:
    """Return whether encoders run in bfloat16 there."""
    able = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return config.precision == "bf16" or (config.precision == "auto" and able)


def out_of_memory(config: RunConfig, device: torch.device) -> str:
    """Return what to say where a batch does not fit."""
    total = torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else 0
    clip = f"{config.data.frames}x{config.data.size}x{config.data.size}"
    return (
        f"out of memory ({total / 2**30:.0f} GiB) with batch={config.batch} and clips of {clip}; "
        "raise gradient_accumulation_steps, or set activation_checkpointing=true; "
        "the last checkpoint is kept"
    )


@contextmanager
def fitting(config: RunConfig, device: torch.device) -> Iterator[None]:
    """Run a pass over a batch.

    Raises:
        UserError: The batch does not fit into the memory of the device.
    """
    try:
        yield
    except RuntimeError as problem:
        if not is_out_of_memory(problem):
            raise
        raise UserError(out_of_memory(config, device)) from None


def is_out_of_memory(problem: RuntimeError) -> bool:
    """Return whether a device, or the machine itself, had no memory left."""
    return isinstance(problem, torch.OutOfMemoryError) or "can't allocate memory" in str(problem)
