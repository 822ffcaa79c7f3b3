"""D4: can the contrastive loss move at all, at this temperature and this batch?"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from cinelex.config.schedule import active_weights, learning_rate
from cinelex.config.schema import RunConfig, Schedule
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.metrics.nulls import (
    infonce_chance,
    infonce_floor,
    sigmoid_floor,
    sigmoid_start,
)
from cinelex.projects import PROJECTS

RULE = "D4"
MIN_HEADROOM = 0.5
"""Share of its chance value by which a contrastive loss must be able to fall."""

Loss = Literal["infonce", "siglip"]

_NULLS: dict[Loss, tuple[Callable[[int], float], Callable[[int, float], float]]] = {
    "infonce": (infonce_chance, infonce_floor),
    "siglip": (sigmoid_start, sigmoid_floor),
}
_FORMULAS: dict[Loss, str] = {
    "infonce": "chance ln N, floor ln(1 + (N-1) exp(-N/((N-1) t)))",
    "siglip": "chance ln N + (N-1) ln(N/(N-1)), floor at the best bias on a regular simplex",
}


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """How far the contrastive loss can fall from chance, at one temperature."""

    chance: float
    """The loss, in nats, of a model that scores all pairs alike."""
    floor: float
    """The least loss, in nats, of any unit embeddings."""

    @property
    def share(self) -> float:
        """Return the share of chance, in [0, 1], by which the loss can fall; 0 if chance is 0."""
        return (self.chance - self.floor) / self.chance if self.chance else 0.0


def headroom_at(temperature: float, *, studies: int, loss: Loss = "infonce") -> Headroom:
    """Return the headroom of a global batch of ``studies`` at a temperature (a divisor)."""
    chance, floor = _NULLS[loss]
    if studies < 2:
        return Headroom(chance=0.0, floor=0.0)
    return Headroom(chance=chance(studies), floor=floor(studies, temperature))


def learned_reach(temperature: float, *, rate_sum: float, least: float) -> float:
    """Return the lowest temperature that training can reach from where it starts.

    Adam moves a parameter by about the learning rate a step when its gradient is steady, so the
    logarithm of the temperature moves by at most about the sum of the learning rates.

    Args:
        temperature: where it starts.
        rate_sum: sum over all steps of the temperature's learning rate.
        least: where it is clamped.
    """
    return max(least, temperature * math.exp(-rate_sum))


def headroom_of(evidence: Evidence) -> Iterator[Finding]:
    """Judge the temperatures that a config reaches."""
    config = evidence.config
    if config is None or config.project not in PROJECTS:
        return
    terms = PROJECTS[config.project].terms
    trained = [terms[name] for name in active_weights(config) if name in terms]
    if not any(term.divided_by_temperature for term in trained):
        return
    start, lowest = _temperatures(config)
    found = contrastive_headroom(
        studies=config.batch,
        temperature=start,
        lowest=lowest,
        learned=config.learn_temperature,
        loss=config.contrastive.name,
    )
    if found is not None:
        yield found


def _temperatures(config: RunConfig) -> tuple[float, float]:
    """Return the temperature at step 1, or the greatest of a schedule, and the lowest reached."""
    if isinstance(config.temperature, Schedule):
        ends = (config.temperature.start, config.temperature.end)
        return max(ends), min(ends)
    if not config.learn_temperature:
        return config.temperature, config.temperature
    rates = (
        learning_rate(config.optimizer, step=step, steps=config.steps)
        for step in range(config.steps)
    )
    factor = config.optimizer.temperature_learning_rate / config.optimizer.learning_rate
    reached = learned_reach(
        config.temperature, rate_sum=factor * sum(rates), least=config.temperature_range[0]
    )
    return config.temperature, reached


def contrastive_headroom(
    *, studies: int, temperature: float, lowest: float, learned: bool, loss: Loss = "infonce"
) -> Finding | None:
    """Return a finding if the contrastive loss can fall by less than half of chance.

    It is an error if that still holds at the lowest temperature of the run, else a warning.

    Args:
        studies: studies of the global batch, N.
        temperature: the divisor of the cosines at step 1, or the greatest of a schedule.
        lowest: the lowest temperature that the run reaches, by schedule or by learning.
        learned: whether the temperature is trained.
        loss: which contrastive loss.
    """
    start = headroom_at(temperature, studies=studies, loss=loss)
    if start.share >= MIN_HEADROOM:
        return None
    best = headroom_at(min(lowest, temperature), studies=studies, loss=loss)
    hopeless = best.share < MIN_HEADROOM
    return Finding(
        rule=RULE,
        severity="error" if hopeless else "warning",
        statement=_statement(start, temperature=temperature, studies=studies),
        measured=start.share,
        threshold=MIN_HEADROOM,
        formula=(
            f"headroom = (chance - floor) / chance = ({start.chance:.4f} - {start.floor:.4f}) / "
            f"{start.chance:.4f}, with N = {studies}, t = {temperature:g}, {_FORMULAS[loss]}"
        ),
        null=f"a model that knows nothing scores {start.chance:.4f} nats",
        cause=_cause(best, studies=studies, lowest=min(lowest, temperature), learned=learned),
        key="batch" if studies < 2 else "temperature",
        remedy=_remedy(studies=studies, loss=loss),
        next_measurement=(
            "The contrastive loss after 200 steps beside its chance and its floor, "
            "both of which the record carries."
        ),
    )


def _statement(start: Headroom, *, temperature: float, studies: int) -> str:
    if studies < 2:
        return "With one study in the global batch the contrastive loss is 0 and cannot move."
    percent = math.floor(100 * start.share) + 1
    return (
        f"At temperature {temperature:g} and a global batch of {studies} the contrastive loss can "
        f"move by less than {percent} % of chance, from {start.chance:.3f} to {start.floor:.3f}"
        " nats, however good the model."
    )


def _cause(best: Headroom, *, studies: int, lowest: float, learned: bool) -> str:
    if studies < 2:
        return "There is no other study to tell apart."
    cause = "The temperature divides the cosines, and its value reads like that of a multiplier."
    if learned:
        return (
            f"{cause} Training can lower it to about {lowest:.3g} at most (the sum of its learning"
            " rates bounds the move of its logarithm), where the headroom is "
            f"{100 * best.share:.1f} %."
        )
    return cause


def _remedy(*, studies: int, loss: Loss) -> str:
    if studies < 2:
        return "Set it to 2 or more; 20 and above is usual."
    enough = next(t for t in (0.1, 0.05, 0.02, 0.01) if _enough(t, studies=studies, loss=loss))
    best = headroom_at(enough, studies=studies, loss=loss)
    return f"At {enough:g} the loss can fall from {best.chance:.3f} to {best.floor:.3f} nats."


def _enough(temperature: float, *, studies: int, loss: Loss) -> bool:
    return headroom_at(temperature, studies=studies, loss=loss).share >= MIN_HEADROOM
