"""D2: is every trainable parameter optimized once, moved by some term, and frozen as asked?"""

from collections.abc import Iterator, Sequence

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D2"
MAX_OFF = 0.25
"""Difference between the share that is frozen and the share that was asked for; whole tensors are
frozen, so that the shares are never quite equal."""


def parameter_groups(evidence: Evidence) -> Iterator[Finding]:
    """Count the parameters that no group, two groups, or no loss term holds."""
    cases = {
        "optimizer/ungrouped": "are trainable and in no group of the optimizer: they keep the "
        "random values that they started from",
        "optimizer/twice": "stand in two groups of the optimizer and move twice a step",
        "parameters/unmoved": "are trainable and no loss term reaches them: only weight decay "
        "moves them",
    }
    for key, what in cases.items():
        names: Sequence[str] = evidence.diagnostics.get(key, ())
        if names:
            yield _finding(names, what, fact=key)
    yield from _frozen(evidence)


def _finding(names: Sequence[str], what: str, *, fact: str) -> Finding:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return Finding(
        rule=RULE,
        severity="error",
        statement=f"{len(names)} parameters {what}: {shown}.",
        measured=float(len(names)),
        threshold=0.0,
        formula=f"the number of names in {fact}",
        null="0 in a model of which everything that is not frozen is trained once",
        cause="A part was built that no group's rule or no loss term knows of.",
        key="model",
        remedy="leave the part out, freeze it, or give it a group and a term that uses it.",
        next_measurement="The norm of these parameters after 100 steps beside that at the start.",
    )


def _frozen(evidence: Evidence) -> Iterator[Finding]:
    keys = {"video_encoder": "model.video_freeze_ratio", "text_encoder": "model.text_freeze_ratio"}
    for tower, key in keys.items():
        frozen = evidence.diagnostics.get(f"model/frozen/{tower}")
        asked = evidence.diagnostics.get(f"model/frozen/{tower}/asked")
        if frozen is None or asked is None or abs(frozen - asked) <= MAX_OFF:
            continue
        yield Finding(
            rule=RULE,
            severity="error",
            statement=(
                f"{100 * frozen:.0f} % of the {tower.replace('_', ' ')}'s parameters are frozen "
                f"and {100 * asked:.0f} % were asked for."
            ),
            measured=frozen,
            threshold=asked,
            formula="frozen parameters / all parameters of the tower, counted in numbers",
            null="0 freezes nothing, 1 everything",
            cause="The share was read as the share that trains, or one tensor is larger than it.",
            key=key,
            remedy=f"give it the share that is to be frozen; {frozen:.2f} is what runs now.",
            next_measurement="The number of trainable parameters, which the run prints.",
        )
