"""D14: does the gradient decide where a tower's weights go, or weight decay?"""

from collections.abc import Iterator, Sequence

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D14"
MAX_RATIO = 1.0
"""Norm of weight decay over that of AdamW's step."""
MIN_PROBES = 3
_KEY = "decay_over_update/"


def decay_over_gradient(evidence: Evidence) -> Iterator[Finding]:
    """Judge the newest probes of each tower."""
    keys = sorted({key for row in evidence.steps for key in row if key.startswith(_KEY)})
    for key in keys:
        if len(evidence.course(key)) < MIN_PROBES:
            continue
        ratio = evidence.level(key, window=MIN_PROBES)
        if ratio is None or ratio <= MAX_RATIO:
            continue
        yield _finding(evidence, key.removeprefix(_KEY), ratio)


def _finding(evidence: Evidence, tower: str, ratio: float) -> Finding:
    terms: Sequence[str] = evidence.diagnostics.get("parts/terms", {}).get(tower, ())
    resting = bool(terms) and all(evidence.newest(f"weight/{term}") == 0 for term in terms)
    return Finding(
        rule=RULE,
        severity="note" if resting else "error",
        statement=f"Nothing but weight decay moves {tower}: {', '.join(terms)} weighs 0 here."
        if resting
        else (
            f"In {tower} weight decay pulls {ratio:.3g} times as hard as the gradient: its "
            "weights shrink to zero whatever the loss says."
        ),
        measured=ratio,
        threshold=MAX_RATIO,
        formula="|decay x weights| / |m / (sqrt(v) + eps)|, median of the newest 3 probes",
        null="far below 1 (0.001 to 0.1) where the gradient decides; without bound where it is 0",
        cause="The only terms that reach this part have no weight."
        if resting
        else "No gradient reaches the tower, or the decay was meant for another optimizer.",
        key="loss_weights" if resting else "optimizer.weight_decay",
        remedy="nothing, as long as this part is trained anew afterwards."
        if resting
        else "find out first why no gradient arrives; then lower the decay.",
        next_measurement="The gradient norm of this tower alone.",
        course=(f"{_KEY}{tower}",),
        line=MAX_RATIO,
    )
