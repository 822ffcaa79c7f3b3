"""``--run_mode estimate``: parameters, memory, operations and time of a step on a card."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError, refusing
from cinelex.projects.interface.project import PlannedStep
from cinelex.runners.cards import Card, card_of
from cinelex.runners.counting import Counted, count

GIB = 2**30
BF16_SHARE = 0.55
"""Of fp32 activations under autocast: most in bf16, norms, softmax and losses in fp32."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a step of one process costs."""

    parameters: int
    trained: int
    memory_bytes: dict[str, int]
    """By what it is for."""
    flop: float
    """Of the whole step, all micro-batches."""
    step_s: float
    """At the card's rate times its efficiency."""


def estimate_lines(
    config: RunConfig, plan: Callable[..., PlannedStep] | None, *, card: str, processes: int
) -> list[str]:
    """Return what is to be said of a step of one of several processes, without building anything.

    Args:
        config: The run.
        plan: Of its project; see ``Entry``.
        card: Its name.
        processes: With a card each.

    Raises:
        UserError: An unknown card, a batch that cannot be shared out, parts that do not fit, or a
            project that trains no towers of clips and texts.
    """
    if plan is None:
        raise UserError(f"--run_mode estimate: project {config.project} has no towers to estimate")
    on = card_of(card)
    studies = config.batch // processes // config.gradient_accumulation_steps
    if studies < 1:
        raise UserError(
            f"--processes: a batch of {config.batch} in {config.gradient_accumulation_steps} "
            f"micro-batches cannot be shared by {processes}"
        )
    step = plan(config, studies=studies)
    with refusing("model: the parts cannot run on such clips and reports"):
        counted = count(step.model, step.loss, checkpointing=config.activation_checkpointing)
    return _lines(config, step, estimate_of(config, step.model, counted, on), on, processes)


def estimate_of(config: RunConfig, model: nn.Module, counted: Counted, card: Card) -> Estimate:
    """Put what was counted into bytes and seconds."""
    parameters = sum(one.numel() for one in model.parameters())
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    bf16 = card.bf16 and config.precision != "fp32"
    memory = {
        "weights": 4 * parameters,
        "gradients": 4 * trained,
        "moments": 8 * trained,
        "activations": int(counted.kept_bytes * (BF16_SHARE if bf16 else 1.0)),
    }
    if bf16:
        memory["weights in bf16"] = 2 * parameters
    if config.ema_decay is not None:
        memory["average of the weights"] = 4 * trained + 4 * parameters
    micro_batches = config.gradient_accumulation_steps
    # of several, each is run forward once before, for the loss of them all
    first = counted.forward if micro_batches > 1 else 0.0
    flop = (counted.flop + first) * micro_batches
    step_s = flop / (card.tera_per_s * 1e12 * card.efficiency)
    return Estimate(
        parameters=parameters, trained=trained, memory_bytes=memory, flop=flop, step_s=step_s
    )


def _lines(
    config: RunConfig, step: PlannedStep, found: Estimate, card: Card, processes: int
) -> list[str]:
    data, micro = config.data, config.gradient_accumulation_steps
    lines = [
        f"{config.name}: {config.batch} studies on {processes} x {card.name}, {micro} micro-batches"
        f" of {step.clips} clips ({data.frames} x {data.size} x {data.size} x {data.channels}); "
        "each study with data.max_videos videos",
        "part                       parameters      trained",
    ]
    for name, (total, trained) in _by_part(step.model).items():
        lines.append(f"{name:<24} {total:>12,} {trained:>12,}")
    lines.append(f"{'all':<24} {found.parameters:>12,} {found.trained:>12,}")
    needed = sum(found.memory_bytes.values())
    parts = ", ".join(f"{what} {size / GIB:.2f}" for what, size in found.memory_bytes.items())
    room = "" if card.memory_gib is None else f" of {card.memory_gib:g}"
    lines.append(f"memory of a process: {needed / GIB:.2f}{room} GiB ({parts})")
    if card.memory_gib is not None and needed > 0.9 * GIB * card.memory_gib:
        lines.append(
            "too much for this card: raise gradient_accumulation_steps, or set "
            "activation_checkpointing=true, or lower batch, data.max_videos or data.frames"
        )
    if step.kept.clips is not None:
        size = step.kept.clips[0].numel() * 4 / 2**20
        lines.append(f"the frozen video tower is read from the cache: {size:.2f} MiB a clip")
    lines.append(
        f"step: {found.flop / 1e12:.2f} TFLOP, {found.step_s:.3f} s at {card.efficiency:.0%} of "
        f"{card.tera_per_s:.4g} TFLOP/s; {config.steps} steps: "
        f"{found.step_s * config.steps / 3600:.2f} h, if data and disks keep up"
    )
    return lines


def _by_part(model: nn.Module) -> dict[str, tuple[int, int]]:
    """Return the parameters of each part, and how many of them are trained."""
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for name, one in model.named_parameters():
        part = name.split(".")[0]
        total, trained = found[part]
        found[part] = (total + one.numel(), trained + one.numel() * one.requires_grad)
    return dict(found)
