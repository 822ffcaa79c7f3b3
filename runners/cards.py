"""What accelerators can do, by the names that people give them."""

from dataclasses import dataclass

import torch

from cinelex.core.errors import UserError
from cinelex.runners.meter import matmul_rate


@dataclass(frozen=True)
class Card:
    """One accelerator, or this machine's CPU."""

    name: str
    tera_per_s: float
    """Floating-point operations, dense, in the precision of the encoders: bf16, of a CPU fp32."""
    memory_gib: float | None
    """None where nobody knows."""
    efficiency: float
    """Share of that rate that a training step is taken to reach."""

    @property
    def bf16(self) -> bool:
        """Return whether encoders run in bfloat16 there."""
        return self.name != "cpu"


GPU_EFFICIENCY = 0.35
"""Assumed: what video transformers of these sizes reach, kernels, loss and input included."""
CPU_EFFICIENCY = 0.7
"""Measured here; see docs/why/log.md."""
RATES: dict[str, tuple[float, float]] = {
    "rtx3090": (71.0, 24.0),
    "rtx4090": (165.0, 24.0),
    "rtx5090": (209.0, 32.0),
    "a10": (125.0, 24.0),
    "l4": (121.0, 24.0),
    "l40s": (362.0, 48.0),
    "a6000": (155.0, 48.0),
    "a100-40gb": (312.0, 40.0),
    "a100-80gb": (312.0, 80.0),
    "h100-80gb": (989.0, 80.0),
    "h200": (989.0, 141.0),
}
"""Dense bf16 rate (10^12/s) and memory (GiB), as their makers state them."""
SIDE = 1024
"""Of the matrices that this machine's CPU is measured with."""


def card_of(name: str) -> Card:
    """Return a card by its name; ``cpu`` is this machine, measured now.

    Raises:
        UserError: Nobody knows it.
    """
    if name == "cpu":
        rate = matmul_rate(torch.device("cpu"), bf16=False, side=SIDE)
        return Card("cpu", rate / 1e12, None, CPU_EFFICIENCY)
    if name not in RATES:
        raise UserError(f"--card: {name!r} is none of cpu, {', '.join(RATES)}")
    rate, memory = RATES[name]
    return Card(name, rate, memory, GPU_EFFICIENCY)
