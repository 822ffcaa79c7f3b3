"""D10: has each term left what a model that knows nothing scores?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.finding import Finding

RULE = "D10"
NEAR = 0.01
"""Share of chance within which a loss counts as not having moved."""


def at_chance(evidence: Evidence) -> Iterator[Finding]:
    """Compare the level of each term with its chance and, where that is high, with its floor."""
    if evidence.young:
        return
    for term in evidence.terms():
        loss, chance = evidence.level(f"loss/{term}"), evidence.level(f"chance/{term}")
        weights = [weight for _, weight in evidence.course(f"weight/{term}")[-WINDOW:]]
        if loss is None or not chance or not weights or not all(weights):
            continue  # switched off, or only just on
        fallen = (chance - loss) / chance
        if fallen < NEAR:
            yield _chance(term, loss, chance, fallen, step=evidence.last_step)
            continue
        floor = evidence.level(f"floor/{term}")
        if floor is not None and floor > chance / 10 and loss - floor < NEAR * (chance - floor):
            yield _floor(term, loss, floor, chance)


def _chance(term: str, loss: float, chance: float, fallen: float, *, step: int) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"After {step} steps the term {term} is {loss:.4f} nats or units, and a model that "
            f"knows nothing scores {chance:.4f}: it has fallen by {100 * fallen:.2f} %."
        ),
        measured=fallen,
        threshold=NEAR,
        formula=f"(chance - median of the newest losses) / chance = ({chance:.4f} - {loss:.4f}) / "
        f"{chance:.4f}",
        null=f"0 at chance, {chance:.4f}",
        cause=(
            "Pairs that do not belong together, features that carry nothing of the input, a "
            "temperature at which nothing can move, or a learning rate that is far off."
        ),
        key="optimizer.learning_rate",
        remedy="first overfit 32 studies; if that fails too, the input does not reach the loss.",
        next_measurement="The same term after 200 steps on 32 studies without augmentation.",
        course=(f"loss/{term}", f"chance/{term}", f"floor/{term}"),
    )


def _floor(term: str, loss: float, floor: float, chance: float) -> Finding:
    left = (loss - floor) / (chance - floor)
    return Finding(
        rule=RULE,
        severity="warning",
        statement=(
            f"The term {term} is {loss:.4f}, within {100 * NEAR:.0f} % of the {floor:.4f} that no "
            "model can beat at this temperature: it has stopped teaching."
        ),
        measured=left,
        threshold=NEAR,
        formula="(median of the newest losses - floor) / (chance - floor)",
        null=f"1 at chance ({chance:.4f}), 0 at the floor",
        cause="The temperature sets a floor above 0, and the model has reached it.",
        key="temperature",
        remedy="lower it, or let it be learned.",
        next_measurement="The same loss at half the temperature.",
        course=(f"loss/{term}", f"chance/{term}", f"floor/{term}"),
    )
