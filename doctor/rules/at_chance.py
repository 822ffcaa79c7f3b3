"""D10: has each term left what a model that knows nothing scores?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.rules.rule import Measured, Rule

NEAR = 0.01
"""Share of chance within which a loss counts as not having moved."""


def _levels(evidence: Evidence) -> Iterator[tuple[float, float, float | None, Measured]]:
    """Yield loss, chance and floor of each term that has had a weight, and its fall from chance."""
    for term in () if evidence.young else evidence.terms():
        loss, chance = evidence.level(f"loss/{term}"), evidence.level(f"chance/{term}")
        weights = [weight for _, weight in evidence.course(f"weight/{term}")[-WINDOW:]]
        if loss is None or not chance or not weights or not all(weights):
            continue  # switched off, or only just on
        floor, step = evidence.level(f"floor/{term}"), evidence.last_step
        named = {"term": term, "loss": loss, "chance": chance, "floor": floor, "step": step}
        course = (f"loss/{term}", f"chance/{term}", f"floor/{term}")
        yield loss, chance, floor, Measured((chance - loss) / chance, NEAR, named, course=course)


def _at_chance(evidence: Evidence) -> Iterator[Measured]:
    yield from (fallen for *_, fallen in _levels(evidence) if fallen.value < NEAR)


def _at_floor(evidence: Evidence) -> Iterator[Measured]:
    for loss, chance, floor, fallen in _levels(evidence):
        if fallen.value < NEAR or floor is None or floor <= chance / 10:
            continue
        left = (loss - floor) / (chance - floor)
        if left < NEAR:
            yield Measured(left, NEAR, fallen.named, course=fallen.course)


AT_CHANCE = Rule(
    id="D10",
    name="a term at chance",
    statement="After {step} steps the term {term} is {loss:.4f} nats or units, and a model that "
    "knows nothing scores {chance:.4f}: it has fallen by {percent:.2f} %.",
    formula="(chance - median of the newest losses) / chance = ({chance:.4f} - {loss:.4f}) / "
    "{chance:.4f}",
    null="0 at chance, {chance:.4f}",
    cause="Pairs that do not belong together, features that carry nothing of the input, a "
    "temperature at which nothing can move, or a learning rate that is far off.",
    key="optimizer.learning_rate",
    remedy="first overfit 32 studies; if that fails too, the input does not reach the loss.",
    next_measurement="The same term after 200 steps on 32 studies without augmentation.",
    check=_at_chance,
)
AT_FLOOR = Rule(
    id="D10",
    name="a term at its floor",
    severity="warning",
    statement="The term {term} is {loss:.4f}, within 1 % of the {floor:.4f} that no model can beat "
    "at this temperature: it has stopped teaching.",
    formula="(median of the newest losses - floor) / (chance - floor)",
    null="1 at chance ({chance:.4f}), 0 at the floor",
    cause="The temperature sets a floor above 0, and the model has reached it.",
    key="temperature",
    remedy="lower it, or let it be learned.",
    next_measurement="The same loss at half the temperature.",
    check=_at_floor,
)
