"""D11: does every term get a say at the parameters that all share, and do they agree?"""

from collections.abc import Iterator

from cinelex.doctor.balance import MAX_PROBES, Balance, balance, suggested_weights
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MIN_SHARE = 0.01
"""Share of the weighted gradient norms below which a term is a bystander."""
MIN_COSINE = -0.2
"""Mean cosine below which two terms undo each other's work."""


def _balance(evidence: Evidence) -> Balance | None:
    """Return the balance, where there are enough probes that noise cannot explain it."""
    found = balance(evidence)
    return None if found is None or found.probes < MAX_PROBES else found


def _bystanders(evidence: Evidence) -> Iterator[Measured]:
    found = _balance(evidence)
    if found is None:
        return
    for term, share in found.shares.items():
        if share.high >= MIN_SHARE or not evidence.newest(f"weight/{term}"):
            continue
        shares = {t: f"{t} {100 * s.value:.1f} %" for t, s in found.shares.items() if t != term}
        named = {
            "term": term,
            "others": ", ".join(shares.values()),
            "share": share,
            "found": found,
            "terms": len(found.shares),
            "alike": 1 / len(found.shares),
            "advice": _advice(evidence, found, term),
        }
        course = tuple(f"gradient/norm/{t}" for t in sorted(found.norms, key=lambda t: t != term))
        yield Measured(share.value, MIN_SHARE, named, course=course)


def _advice(evidence: Evidence, found: Balance, term: str) -> str:
    norms = {t: norm.value for t, norm in found.norms.items() if norm.value > 0}
    if term not in norms:
        return "its gradient is 0."
    total = sum(evidence.newest(f"weight/{t}") or 0.0 for t in found.norms)
    equal = suggested_weights(norms, {t: 1 / len(norms) for t in norms}, total=total or 1.0)
    weights = ", ".join(f"{t} {weight:.3g}" for t, weight in equal.items())
    return f"equal shares would need {weights}; scripts/doctor.sh weights gives those of others."


def _conflicts(evidence: Evidence) -> Iterator[Measured]:
    found = _balance(evidence)
    if found is None:
        return
    for pair, cosine in found.cosines.items():
        if cosine.high < MIN_COSINE:
            first, _, second = pair.partition("~")
            below = 100 * found.conflicts[pair]
            named = {"first": first, "second": second, "below": below, "cosine": cosine}
            named["probes"] = found.probes
            course = (f"gradient/cosine/{pair}",)
            yield Measured(cosine.value, MIN_COSINE, named, course=course, line=0.0)


BYSTANDER = Rule(
    id="D11",
    name="a term without a share of the gradient",
    severity="warning",
    statement="The term {term} contributes {percent:.2g} % of the gradient at the shared "
    "parameters ({others}), so it hardly affects them.",
    formula="weight x norm / sum of weight x norm over {terms} terms; median of {found.probes} "
    "probes, 95 % interval {share.low:.2g} to {share.high:.2g}; condition number of the gradients "
    "{found.condition:.3g}",
    null="{alike:.2f} where all have the same share",
    cause="The terms are in different units, or a weight was set without measuring.",
    key="loss_weights.{term}",
    remedy="{advice}",
    next_measurement="The shares after 50 more probes with the new weights.",
    check=_bystanders,
)
CONFLICT = Rule(
    id="D11",
    name="gradients against each other",
    severity="warning",
    statement="The gradients of {first} and {second} point against each other: their mean cosine "
    "is {value:.2f}, and {below:.0f} % of the probes are below 0.",
    formula="mean of {probes} probes, 95 % interval {cosine.low:.2g} to {cosine.high:.2g}",
    null="0 for unrelated gradients, half of the probes below 0",
    cause="The terms need different features from the parameters they share.",
    key="loss_weights",
    remedy="lower the weight of the one that matters less, or train {first} alone to compare.",
    next_measurement="Each term alone, for as many steps.",
    check=_conflicts,
)
