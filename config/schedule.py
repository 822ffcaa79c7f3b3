"""Schedules as plain functions of the optimizer step."""

import math

from cinelex.config.schema import OptimizerConfig, RunConfig, Schedule, ValueOrSchedule


def value_at(value: float | Schedule, *, step: int, steps: int) -> float:
    """Return a constant, or a schedule's value at optimizer step ``step`` of ``steps``, from 0.

    The first step has ``start`` and the last has ``end``, unless ``begin`` and ``finish`` move
    them; before ``begin`` and after ``finish`` the value stands still.
    """
    if not isinstance(value, Schedule):
        return value
    passed = step / max(1, steps - 1)
    done = min(1.0, max(0.0, (passed - value.begin) / (value.finish - value.begin)))
    share = {"linear": _linear, "cosine": _cosine, "step": _jumping}[value.shape]
    return value.start + (value.end - value.start) * share(done, value.jumps)


def _linear(done: float, jumps: int) -> float:
    return done


def _cosine(done: float, jumps: int) -> float:
    return (1 - math.cos(math.pi * done)) / 2


def _jumping(done: float, jumps: int) -> float:
    return min(math.floor(done * (jumps + 1)), jumps) / jumps


def active_weights(config: RunConfig) -> dict[str, ValueOrSchedule]:
    """Return the weight of each term whose weight is ever above zero; the others are not built."""
    return {name: weight for name, weight in config.loss_weights.items() if _max(weight) > 0}


def weights_at(config: RunConfig, step: int) -> dict[str, float]:
    """Return the weight of each of these terms at optimizer step ``step``, from 0."""
    active, steps = active_weights(config), config.steps
    return {name: value_at(weight, step=step, steps=steps) for name, weight in active.items()}


def _max(weight: ValueOrSchedule) -> float:
    return max(weight.start, weight.end) if isinstance(weight, Schedule) else weight


def learning_rate(config: OptimizerConfig, *, step: int, steps: int) -> float:
    """Return the learning rate of optimizer step ``step`` of ``steps``, from 0.

    Linear warm-up, whose last step has the peak; then half a cosine, whose last step has
    ``final_learning_rate``; or the peak, until a straight line leads there from
    ``decay_share`` of the steps before the end; or the peak to the end.

    Source: Loshchilov & Hutter 2017, SGDR, arXiv:1608.03983, equation 5, after a linear warm-up;
    Hu et al. 2024, MiniCPM, arXiv:2404.06395, equation 1 (warm-up, stable, decay).
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    last, begin = steps - 1, config.warmup_steps
    if config.schedule == "wsd":
        begin = max(begin, round((1 - config.decay_share) * last))
    done = min(1.0, max(0, step - begin) / max(1, last - begin))
    height = 1 - done if config.schedule == "wsd" else (1 + math.cos(math.pi * done)) / 2
    floor = config.final_learning_rate
    return floor + (config.learning_rate - floor) * height


def schedule_table(config: RunConfig, *, rows: int = 9) -> list[dict[str, float]]:
    """Return what is scheduled at up to ``rows`` steps, evenly from the first to the last.

    Keys are ``step``, ``learning_rate``, ``temperature`` (where learned, its start) and
    ``weight/<term>``.
    """
    last = max(0, config.steps - 1)
    chosen = sorted({round(last * row / max(1, rows - 1)) for row in range(rows)})
    return [
        {
            "step": step,
            "learning_rate": learning_rate(config.optimizer, step=step, steps=config.steps),
            "temperature": value_at(config.temperature, step=step, steps=config.steps),
            **{
                f"weight/{term}": value_at(weight, step=step, steps=config.steps)
                for term, weight in config.loss_weights.items()
            },
        }
        for step in chosen
    ]
