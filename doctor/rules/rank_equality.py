"""D6: are terms and gradients of two processes those of one?"""

from collections.abc import Iterator

from doctor.evidence import Evidence
from doctor.finding import Finding

RULE = "D6"
TOLERANCE = 1e-3
"""Relative; rounding stays below 1e-5."""


def rank_equality(evidence: Evidence) -> Iterator[Finding]:
    """Compare what the self-test on two processes measured with one process."""
    texts = {
        "ranks/term_error": (
            "A loss term of two processes differs from that of one by {:.3g} of its value.",
            "A mean over ranks is divided twice, or is a mean of rank means.",
        ),
        "ranks/gradient_error": (
            "The gradient of two processes differs from that of one by {:.3g} of its norm.",
            "The encoder is called around the wrapper that averages gradients, or a gather "
            "returns the gradient of the local slice alone.",
        ),
    }
    for key, (statement, cause) in texts.items():
        error = evidence.facts.get(key)
        if error is None or error <= TOLERANCE:
            continue
        yield Finding(
            rule=RULE,
            severity="error",
            statement=statement.format(error),
            measured=error,
            threshold=TOLERANCE,
            formula="|two processes - one| / |one|, the same global batch, the worst of all",
            null="below 1e-5, which is rounding",
            cause=cause,
            key="project",
            remedy="call the wrapped module once in terms(), and reduce through core.distributed.",
            next_measurement="The same comparison for each term alone, with the other weights 0.",
        )
