"""D21: how much of what was learned on training studies holds on others?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_LOST = 0.5
"""Share of the way from chance to the training loss that held-out studies may lack."""
MIN_LEARNED = 0.05
"""Share of chance that a term must have fallen by for a gap to mean anything."""


def _lost(evidence: Evidence) -> Iterator[Measured]:
    """Compare the newest training losses with the held-out ones, in units of what was learned."""
    for term, held_out in evidence.held_out("losses").items():
        train, value = evidence.level(f"loss/{term}"), held_out.value
        chance = held_out.nulls["chance"].value if "chance" in held_out.nulls else None
        if train is None or not chance or value is None:
            continue
        # the last held-out batch may be smaller, and so have another chance
        learned = 1 - train / (evidence.level(f"chance/{term}") or chance)
        lost = 1 - (1 - value / chance) / learned if learned >= MIN_LEARNED else 0.0
        if lost > MAX_LOST:
            named = {"term": term, "train": train, "held_out": value, "chance": chance}
            yield Measured(lost, MAX_LOST, named, course=(f"loss/{term}", f"chance/{term}"))


GENERALIZATION = Rule(
    id="D21",
    name="what is lost on held-out studies",
    severity="warning",
    statement="{percent:.0f} % of what the term {term} gained on training studies is gone on "
    "others: {train:.3f} in training, {held_out:.3f} held out.",
    formula="1 - (1 - held out / chance) / (1 - training / chance), each with its own chance; held "
    "out {chance:.3f}",
    null="0 where nothing is lost, 1 where held-out studies are at chance",
    cause="The studies were memorised.",
    key="steps",
    remedy="fewer steps, more studies, more augmentation, or a smaller model.",
    next_measurement="The held-out loss at half the steps.",
    check=_lost,
)
