"""D14: does the gradient decide where a tower's weights go, or weight decay?"""

from collections.abc import Iterator
from functools import partial

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_RATIO = 1.0
"""Norm of weight decay over that of AdamW's step."""
MIN_PROBES = 3
_KEY = "decay_over_update/"


def _decayed(evidence: Evidence, *, resting: bool) -> Iterator[Measured]:
    """Yield the towers that decay alone moves: those whose terms weigh 0, or those of the rest."""
    for key in sorted({key for row in evidence.steps for key in row if key.startswith(_KEY)}):
        ratio = evidence.level(key, window=MIN_PROBES)
        if ratio is None or ratio <= MAX_RATIO or len(evidence.course(key)) < MIN_PROBES:
            continue
        tower = key.removeprefix(_KEY)
        terms = evidence.diagnostics.get("towers/terms", {}).get(tower, ())
        if resting == bool(terms and all(evidence.newest(f"weight/{t}") == 0 for t in terms)):
            named = {"tower": tower, "terms": ", ".join(terms)}
            yield Measured(ratio, MAX_RATIO, named, course=(key,), line=MAX_RATIO)


_rule = partial(
    Rule,
    id="D14",
    formula="|decay x weights| / |m / (sqrt(v) + eps)|, median of the newest 3 probes",
    null="far below 1 (0.001 to 0.1) where the gradient decides; without bound where it is 0",
    next_measurement="The gradient norm of this tower alone.",
)
DECAYED = _rule(
    name="a tower that decays",
    statement="In {tower} weight decay is {value:.3g} times as strong as the gradient: its "
    "weights shrink to zero whatever the loss.",
    cause="No gradient reaches the tower, or the decay was meant for another optimizer.",
    key="optimizer.weight_decay",
    remedy="find out first why no gradient arrives; then lower the decay.",
    check=lambda evidence: _decayed(evidence, resting=False),
)
RESTING = _rule(
    name="a tower whose terms weigh nothing",
    severity="note",
    statement="Nothing but weight decay moves {tower}: {terms} weighs 0 here.",
    cause="The only terms that reach this part have no weight.",
    key="loss_weights",
    remedy="nothing, as long as this part is trained anew afterwards.",
    check=lambda evidence: _decayed(evidence, resting=True),
)
