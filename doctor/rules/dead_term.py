"""D3: does every loss term have a gradient?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

LOOKS = 5
"""Newest looks at which a gradient must not have been 0 throughout."""


def _dead(evidence: Evidence) -> Iterator[Measured]:
    unreached = "No trainable parameter is reached by its gradient."
    for term in evidence.diagnostics.get("terms/without_gradient", ()):
        yield Measured(0.0, 0.0, {"term": term, "seen": unreached})
    for term in evidence.terms():
        key = f"gradient/norm/{term}"
        norms = [norm for _, norm in evidence.course(key)[-LOOKS:]]
        if len(norms) == LOOKS and max(norms) == 0.0:
            named = {"term": term, "seen": "Its gradient was exactly 0 at the last five looks."}
            yield Measured(0.0, 0.0, named, course=(key,), line=0.0)


DEAD_TERM = Rule(
    id="D3",
    name="a term without a gradient",
    statement="The term {term} has no gradient and cannot be trained. {seen}",
    formula="the L2 norm of the term's gradient at the parameters that the terms share",
    null="0 for a constant",
    cause="The term is computed from decoded text, detached features or indices.",
    key="loss_weights.{term}",
    remedy="compute the term from logits or features, or report it as a metric instead.",
    next_measurement="Its gradient norm at step 1, which the record carries.",
    check=_dead,
)
