"""What one update did."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from cinelex.core.progress import duration
from cinelex.projects.interface.terms import TermNulls


@dataclass(frozen=True)
class StepReport:
    """The numbers of one optimizer step. Tensors stay on the device until someone logs them."""

    step: int
    """From 1."""
    loss: Tensor
    """The weighted sum over the global batch; comparable only within one set of weights."""
    terms: Mapping[str, Tensor]
    """Unweighted terms over the global batch."""
    grad_norm: Tensor
    """L2 norm before clipping."""
    skipped: Tensor
    """1.0 where the gradient was not finite and the weights were left alone, else 0.0."""
    context: Mapping[str, Tensor | float]
    """Learning rate, temperature, weights, and whatever else the project and the probes say."""
    nulls: Mapping[str, TermNulls]
    """What each term is for a model that knows nothing, and at its least."""
    step_s: float
    """Seconds since the update before."""

    def numbers(self) -> dict[str, float]:
        """Return everything but the step as numbers, ready for the record. Waits for the device."""
        context = {name: float(value) for name, value in self.context.items()}
        return {
            "loss": self.loss.item(),
            **{f"loss/{name}": term.item() for name, term in self.terms.items()},
            **self._chances_and_floors(context),
            **context,
            "grad_norm": self.grad_norm.item(),
            "skipped": self.skipped.item(),
            "step_ms": 1000 * self.step_s,
        }

    def _chances_and_floors(self, context: Mapping[str, float]) -> dict[str, float]:
        found: dict[str, float] = {}
        for term, nulls in self.nulls.items():
            if nulls.chance is not None:
                found[f"chance/{term}"] = nulls.chance
            if nulls.floor_at is not None:
                found[f"floor/{term}"] = nulls.floor_at(context["temperature"])
        return found


def one_line(numbers: Mapping[str, float], *, step: int, steps: int, step_s: float) -> str:
    """Return a step's numbers for a person: each term beside its chance, and the time left.

    Args:
        numbers: Of the step.
        step: From 1.
        steps: Of the run.
        step_s: What the last steps took, in the mean.
    """
    terms = [name.removeprefix("loss/") for name in numbers if name.startswith("loss/")]
    parts = [f"step {step}/{steps}"]
    for term in terms:
        null = f" (chance {numbers[f'chance/{term}']:.3f})" if f"chance/{term}" in numbers else ""
        parts.append(f"{term} {numbers[f'loss/{term}']:.3f}{null}")
    left = duration(step_s * (steps - step))
    return "  ".join([*parts, f"{numbers['step_ms']:.0f} ms", f"{left} left", *_speeds(numbers)])


def _speeds(numbers: Mapping[str, float]) -> list[str]:
    """Return what the meter found since the line before, if it did."""
    found = {name.removeprefix("speed/"): n for name, n in numbers.items() if "speed/" in name}
    counts = [name for name in found if name.endswith("_per_s") and "tflop" not in name]
    parts = [f"{found[name]:.3g} {name.removesuffix('_per_s')}/s" for name in counts]
    if "mfu" in found:
        parts.append(f"{found['model_tflop_per_s']:.3g} TFLOP/s")
        parts.append(f"MFU {found['mfu']:.0%}, stall {found['stall_share']:.0%}")
        parts.append(f"{found['memory_gib']:.2f} GiB")
    return parts
