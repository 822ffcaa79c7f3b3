"""D3: does every loss term have a gradient?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D3"


def dead_term(evidence: Evidence) -> Iterator[Finding]:
    """Name the terms that nothing can be learned from, before the first step or by the record."""
    for term in evidence.diagnostics.get("terms/without_gradient", ()):
        yield _finding(term, 0.0, where="No trainable parameter is reached by its gradient.")
    for term in evidence.terms():
        key = f"gradient/norm/{term}"
        norms = [norm for _, norm in evidence.course(key)[-5:]]
        if len(norms) == 5 and max(norms) == 0.0:
            yield _finding(
                term, 0.0, where="Its gradient was exactly 0 at the last five looks.", key=key
            )


def _finding(term: str, measured: float, *, where: str, key: str = "") -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=f"The term {term} has no gradient and cannot be trained. {where}",
        measured=measured,
        threshold=0.0,
        formula="the L2 norm of the term's gradient at the parameters that the terms share",
        null="0 for a constant",
        cause="The term is computed from decoded words, detached features or indices.",
        key=f"loss_weights.{term}",
        remedy="compute the term from logits or features, or report it as a metric instead.",
        next_measurement="Its gradient norm at step 1, which the record carries.",
        course=(key,) if key else (),
        line=0.0 if key else None,
    )
