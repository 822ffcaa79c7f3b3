"""D4: can the contrastive loss move at all, at this temperature, this batch and this bias?"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from cinelex.config.schedule import active_weights, learning_rate
from cinelex.config.schema import RunConfig, Schedule
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Severity
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.metrics.nulls import sigmoid_start
from cinelex.projects import PROJECTS
from cinelex.projects.interface.contrast import INFONCE, Contrast

MIN_HEADROOM = 0.5
"""Share of its chance value by which a contrastive loss must be able to fall."""
MAX_OFF = 2.0
"""Distance of the bias of a sigmoid loss from -ln(N - 1), in logits."""


@dataclass(frozen=True, kw_only=True)
class Headroom:
    """How far the contrastive loss can fall from chance, at one temperature."""

    chance: float
    """The loss, in nats, of a model that scores all pairs alike."""
    floor: float
    """The least loss, in nats, of any unit embeddings."""

    @property
    def share(self) -> float:
        """Return the share of chance, in [0, 1], by which the loss can fall."""
        return (self.chance - self.floor) / self.chance


def headroom_at(temperature: float, *, studies: int, form: Contrast = INFONCE) -> Headroom:
    """Return the headroom of a global batch of ``studies`` at a temperature (a divisor)."""
    return Headroom(chance=form.chance(studies), floor=form.floor(studies, temperature))


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


def _contrasts(config: RunConfig | None) -> list[Contrast]:
    """Return the forms of contrast that a run trains, each once."""
    if config is None or config.project not in PROJECTS:
        return []
    terms = PROJECTS[config.project].terms
    trained = [terms[name].contrast for name in active_weights(config) if name in terms]
    forms = [contrast(config) for contrast in trained if contrast]
    return [form for place, form in enumerate(forms) if form not in forms[:place]]


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
    return config.temperature, min(reached, config.temperature)


def _stuck(evidence: Evidence) -> Iterator[Measured]:
    config = evidence.config
    for form in _contrasts(config):
        if config is not None and config.batch > 1:  # a smaller one is refused
            yield from _judged(config, form)


def _judged(config: RunConfig, form: Contrast) -> Iterator[Measured]:
    """Judge the temperatures that a config reaches: an error where even the lowest is too high."""
    temperature, lowest = _temperatures(config)
    start, best = (headroom_at(t, studies=config.batch, form=form) for t in (temperature, lowest))
    if start.share >= MIN_HEADROOM:
        return
    for enough in (0.1, 0.05, 0.02, 0.01):
        better = headroom_at(enough, studies=config.batch, form=form)
        if better.share >= MIN_HEADROOM:
            break
    reach = _REACH.format(lowest=lowest, best=100 * best.share) if config.learn_temperature else ""
    named = {
        **{"temperature": temperature, "studies": config.batch, "loss": form.formula},
        **{"start": start, "better": better, "enough": enough, "reach": reach},
        "most": math.floor(100 * start.share) + 1,
    }
    severity: Severity = "error" if best.share < MIN_HEADROOM else "warning"
    yield Measured(start.share, MIN_HEADROOM, named, severity)


def _off(evidence: Evidence) -> Iterator[Measured]:
    """Compare the fresh model's bias with the one that its contrast begins with."""
    config = evidence.config
    for form in _contrasts(config) if evidence.diagnostics else ():
        batch = config.batch if config else 0
        wanted, bias = form.start_bias(batch), evidence.diagnostics.get("model/bias")
        if wanted is not None and (bias is None or abs(bias - wanted) > MAX_OFF):
            named = {
                **{"wanted": wanted, "batch": batch, "best": form.chance(batch)},
                "bias": "no bias" if bias is None else f"a bias of {bias:.2f}",
                "start": sigmoid_start(batch, bias=bias or 0.0),
            }
            yield Measured(bias or 0.0, wanted, named, severity="error" if bias is None else None)


_REACH = (
    " Training can lower it to about {lowest:.3g} at most (the sum of its learning rates bounds "
    "the move of its logarithm), where the headroom is {best:.1f} %."
)
HEADROOM = Rule(
    id="D4",
    name="contrastive headroom",
    statement="At temperature {temperature:g} and a global batch of {studies} the contrastive loss "
    "can move by less than {most} % of chance, from {start.chance:.3f} to {start.floor:.3f} nats, "
    "however good the model.",
    formula="headroom = (chance - floor) / chance = ({start.chance:.4f} - {start.floor:.4f}) / "
    "{start.chance:.4f}, with N = {studies}, t = {temperature:g}, {loss}",
    null="a model that knows nothing scores {start.chance:.4f} nats",
    cause="The temperature divides the cosines, and its value reads like that of a multiplier."
    "{reach}",
    key="temperature",
    remedy="At {enough:g} the loss can fall from {better.chance:.3f} to {better.floor:.3f} nats.",
    next_measurement="The contrastive loss after 200 steps beside the chance and the floor of the "
    "record.",
    check=_stuck,
)
SIGMOID_BIAS = Rule(
    id="D4",
    name="the bias of the sigmoid loss",
    severity="warning",
    statement="The sigmoid loss has {bias}; with {batch} studies it starts at {start:.2f} nats a "
    "study instead of {best:.2f}.",
    formula="|bias + ln(N - 1)|, at most 2",
    null="-ln(N - 1) = {wanted:.2f}, the logarithm of the odds that a pair belongs together",
    cause="N - 1 of N pairs are negatives; without the bias their gradients swamp those of the "
    "positives.",
    key="contrastive",
    remedy="start the bias at -ln(batch - 1), or use infonce.",
    next_measurement="The first 50 losses beside the start above.",
    check=_off,
)
