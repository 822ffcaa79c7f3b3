"""D10: has each term left what a model that knows nothing scores?"""

from collections.abc import Iterator

from cinelex.config.schema import RunConfig
from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.rules.rule import Measured, Rule

NEAR = 0.01
"""Share of chance within which a loss counts as not having moved."""


EARLY_SHARE, EARLY_STEPS, EARLY_WINDOW = 0.05, 20, 10
"""Share of a run, and steps, after which it is told that nothing has left chance, and how many of
its newest records say so."""


def early_step(config: RunConfig) -> int:
    """Return the optimizer step at which a run is first looked at for having learned nothing."""
    share = round(EARLY_SHARE * config.steps)
    return max(EARLY_STEPS, share, 2 * config.optimizer.warmup_steps)


def _levels(
    evidence: Evidence, *, window: int = WINDOW
) -> Iterator[tuple[float, float, float | None, Measured]]:
    """Yield loss, chance and floor of each term that has had a weight, and its fall from chance."""
    for term in evidence.terms():
        loss = evidence.level(f"loss/{term}", window=window)
        chance = evidence.level(f"chance/{term}")
        weights = [weight for _, weight in evidence.course(f"weight/{term}")[-WINDOW:]]
        if loss is None or not chance or not weights or not all(weights):
            continue  # switched off, or only just on
        floor, step = evidence.level(f"floor/{term}"), evidence.last_step
        named = {"term": term, "loss": loss, "chance": chance, "floor": floor, "step": step}
        course = (f"loss/{term}", f"chance/{term}", f"floor/{term}")
        yield loss, chance, floor, Measured((chance - loss) / chance, NEAR, named, course=course)


def _at_chance(evidence: Evidence) -> Iterator[Measured]:
    if not evidence.young:
        yield from (fallen for *_, fallen in _levels(evidence) if fallen.value < NEAR)


def _early(evidence: Evidence) -> Iterator[Measured]:
    """Yield the term that has fallen farthest, where none has left chance a little way in."""
    config = evidence.config
    if config is None or not evidence.young or evidence.last_step < early_step(config):
        return
    fallen = [found for *_, found in _levels(evidence, window=EARLY_WINDOW)]
    if fallen and max(one.value for one in fallen) < NEAR:
        yield max(fallen, key=lambda one: one.value)


def _at_floor(evidence: Evidence) -> Iterator[Measured]:
    if evidence.young:
        return
    for loss, chance, floor, fallen in _levels(evidence):
        if fallen.value < NEAR or floor is None or floor <= chance / 10:
            continue
        left = (loss - floor) / (chance - floor)
        if left < NEAR:
            yield Measured(left, NEAR, fallen.named, course=fallen.course)


AT_CHANCE = Rule(
    id="D10",
    name="a term at chance",
    statement="After {step} steps the term {term} is {loss:.4f}; its value at chance is "
    "{chance:.4f}, so it has fallen by {percent:.2f} %.",
    formula="(chance - median of the newest losses) / chance = ({chance:.4f} - {loss:.4f}) / "
    "{chance:.4f}",
    null="0 at chance, {chance:.4f}",
    cause="Mismatched pairs, features that do not depend on the input, a temperature that "
    "leaves no room for change, or a learning rate that is far off.",
    key="optimizer.learning_rate",
    remedy="first overfit 32 studies; if that fails too, the input does not reach the loss.",
    next_measurement="The same term after 200 steps on 32 studies without augmentation.",
    check=_at_chance,
)
EARLY = Rule(
    id="D10",
    name="every term still at chance",
    severity="warning",
    statement="After {step} steps every term is still at chance: {term}, which fell farthest, "
    "is {loss:.4f}, and its chance value {chance:.4f}.",
    formula="(chance - median of the newest losses) / chance, of the term that fell farthest",
    null="0 at chance, {chance:.4f}",
    cause="Most often a learning rate far too high for pretrained weights, or for a small "
    "batch: features collapse in the first steps and do not recover.",
    key="optimizer.pretrained_learning_rate",
    remedy="stop the run, and try a tenth of it, or freeze the pretrained parts "
    "(model.video_frozen=all, model.text_frozen=all).",
    next_measurement="The same term after as many steps with the pretrained parts frozen.",
    check=_early,
)
AT_FLOOR = Rule(
    id="D10",
    name="a term at its floor",
    severity="warning",
    statement="The term {term} is {loss:.4f}, within 1 % of {floor:.4f}, the lowest value "
    "possible at this temperature: it has stopped teaching.",
    formula="(median of the newest losses - floor) / (chance - floor)",
    null="1 at chance ({chance:.4f}), 0 at the floor",
    cause="The temperature sets a floor above 0, and the model has reached it.",
    key="temperature",
    remedy="lower it, or let it be learned.",
    next_measurement="The same loss at half the temperature.",
    check=_at_floor,
)
