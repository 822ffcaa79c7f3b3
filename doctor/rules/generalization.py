"""D21: how much of what was learned on training studies holds on others?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D21"
MAX_LOST = 0.5
"""Share of the way from chance to the training loss that held-out studies may lack."""
MIN_LEARNED = 0.05
"""Share of chance that a term must have fallen by for a gap to mean anything."""


def generalization(evidence: Evidence) -> Iterator[Finding]:
    """Compare the newest training losses with the held-out ones, in units of what was learned."""
    for term, held_out in (evidence.results.get("losses") or {}).items():
        train = evidence.level(f"loss/{term}")
        value, chance = held_out.get("value"), held_out.get("chance")
        if train is None or not chance or value is None:
            continue
        # the last held-out batch may be smaller, and so have another chance
        learned = 1 - train / (evidence.level(f"chance/{term}") or chance)
        if learned < MIN_LEARNED:
            continue
        lost = 1 - (1 - value / chance) / learned
        if lost > MAX_LOST:
            yield Finding(
                rule=RULE,
                severity="warning",
                statement=(
                    f"{100 * lost:.0f} % of what the term {term} gained on training studies is "
                    f"gone on others: {train:.3f} in training, {value:.3f} held out."
                ),
                measured=lost,
                threshold=MAX_LOST,
                formula=(
                    "1 - (1 - held out / chance) / (1 - training / chance), each with its own "
                    f"chance; held out {chance:.3f}"
                ),
                null="0 where nothing is lost, 1 where held-out studies are at chance",
                cause="The studies were learned by heart.",
                key="steps",
                remedy="fewer steps, more studies, more augmentation, or a smaller model.",
                next_measurement="The held-out loss at half the steps.",
                course=(f"loss/{term}", f"chance/{term}"),
            )
