"""What can be known to be wrong before the first step."""

from config.schedule import learning_rate
from config.schema import RunConfig, Schedule
from doctor.finding import Finding, render
from doctor.rules.contrastive_headroom import contrastive_headroom, learned_reach

__all__ = ["check_before_training", "render"]


def check_before_training(config: RunConfig) -> list[Finding]:
    """Return the findings of every rule that needs nothing but the config, worst first."""
    found = [_headroom(config)]
    findings = [finding for finding in found if finding is not None]
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _headroom(config: RunConfig) -> Finding | None:
    weight = config.loss_weights.get("contrastive", 0.0)
    if isinstance(weight, float | int) and weight == 0:
        return None
    start, lowest = _temperatures(config)
    return contrastive_headroom(
        studies=config.batch,
        temperature=start,
        lowest=lowest,
        learned=config.learn_temperature,
        loss=config.contrastive.name,
    )


def _temperatures(config: RunConfig) -> tuple[float, float]:
    """Return the temperature at step 1 and the lowest that the run reaches."""
    if isinstance(config.temperature, Schedule):
        return config.temperature.start, min(config.temperature.start, config.temperature.end)
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
