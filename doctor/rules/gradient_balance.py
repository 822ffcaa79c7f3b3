"""D11: does every term get a say at the parameters that all share, and do they agree?"""

from collections.abc import Iterator

from cinelex.doctor.balance import (
    MAX_PROBES,
    Average,
    Balance,
    Typical,
    balance,
    suggested_weights,
)
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D11"
MIN_SHARE = 0.01
"""Share of the weighted gradient norms below which a term is a bystander."""
MIN_COSINE = -0.2
"""Mean cosine below which two terms undo each other's work."""


def gradient_balance(evidence: Evidence) -> Iterator[Finding]:
    """Judge shares and cosines, where there are enough probes and noise cannot explain them."""
    found = balance(evidence)
    if found is None or found.probes < MAX_PROBES:
        return
    for term, share in found.shares.items():
        if share.high < MIN_SHARE and evidence.newest(f"weight/{term}"):
            yield _bystander(evidence, found, term, share)
    for pair, cosine in found.cosines.items():
        if cosine.high < MIN_COSINE:
            yield _conflict(found, pair, cosine)


def _bystander(evidence: Evidence, found: Balance, term: str, share: Typical) -> Finding:
    weights = {t: evidence.newest(f"weight/{t}") or 0.0 for t in found.norms}
    norms = {t: norm.median for t, norm in found.norms.items() if norm.median > 0}
    remedy = "its gradient is 0."
    if term in norms:
        equal = {t: 1 / len(norms) for t in norms}
        advice = suggested_weights(norms, equal, total=sum(weights.values()) or 1.0)
        remedy = "equal shares would need " + ", ".join(
            f"{t} {weight:.3g}" for t, weight in advice.items()
        )
        remedy += "; scripts/doctor.sh weights gives those of any other shares"
    others = ", ".join(f"{t} {100 * s.median:.1f} %" for t, s in found.shares.items() if t != term)
    return Finding(
        rule=RULE,
        severity="warning",
        statement=(
            f"The term {term} has {100 * share.median:.2g} % of the gradient at the shared "
            f"parameters ({others}): it trains next to nothing that the others use."
        ),
        measured=share.median,
        threshold=MIN_SHARE,
        formula=(
            f"weight x norm / sum of weight x norm over {len(found.shares)} terms; median of "
            f"{found.probes} probes, 95 % interval {share.low:.2g} to {share.high:.2g}; "
            f"condition number of the gradients {found.condition:.3g}"
        ),
        null=f"{1 / len(found.shares):.2f} where all pull alike",
        cause="The terms are in different units, or a weight was set without measuring.",
        key=f"loss_weights.{term}",
        remedy=f"{remedy}.".replace("..", "."),
        next_measurement="The shares after 50 more probes with the new weights.",
        course=tuple(f"gradient/norm/{t}" for t in sorted(found.norms, key=lambda t: t != term)),
    )


def _conflict(found: Balance, pair: str, cosine: Average) -> Finding:
    first, _, second = pair.partition("~")
    return Finding(
        rule=RULE,
        severity="warning",
        statement=(
            f"The gradients of {first} and {second} point against each other: their mean cosine "
            f"is {cosine.mean:.2f}, and {100 * found.conflicts[pair]:.0f} % of the probes are "
            "below 0."
        ),
        measured=cosine.mean,
        threshold=MIN_COSINE,
        formula=f"mean of {found.probes} probes, standard error {cosine.error:.2g}",
        null="0 for unrelated gradients, half of the probes below 0",
        cause="The terms want different features of the parameters that they share.",
        key="loss_weights",
        remedy=f"lower the weight of the one that matters less, or train {first} alone to compare.",
        next_measurement="Each term alone, for as many steps.",
        course=(f"gradient/cosine/{pair}",),
        line=0.0,
    )
