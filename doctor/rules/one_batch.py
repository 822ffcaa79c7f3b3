"""D6: are two processes, a batch in parts, and half precision equal to one exact, whole batch?"""

from collections.abc import Iterator
from dataclasses import dataclass

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D6"
TERM_TOLERANCE, GRADIENT_TOLERANCE = 1e-4, 1e-3
"""Relative; rounding stays below 1e-6 in a term, and below 1e-5 in gradients, of which some are 0
in exact arithmetic."""


@dataclass(frozen=True)
class Comparison:
    """One number of a self-test, and what to say where it is not 0."""

    what: str
    """What was compared with the whole batch in one process, or with float64."""
    statement: str
    """With a place for the error."""
    cause: str
    key: str
    remedy: str


SHARE = (
    "call the wrapped module once in outputs(), take losses once over the whole batch, and reduce "
    "through cinelex.core.distributed."
)
EXACT = "leave autocast for similarities and all that follows, as cinelex.losses.contrastive does."

COMPARISONS: dict[str, Comparison] = {
    "ranks/term_error": Comparison(
        "two processes",
        "A loss term of two processes differs from that of one by {:.3g} of its value.",
        "A mean over ranks is divided twice, or is a mean of rank means; or each rank normalizes "
        "with statistics of its own.",
        "project",
        SHARE,
    ),
    "ranks/gradient_error": Comparison(
        "two processes",
        "The gradient of two processes differs from that of one by {:.3g} of its norm.",
        "The encoder is called around the wrapper that averages gradients, or a gather "
        "returns the gradient of the local slice alone.",
        "project",
        SHARE,
    ),
    "parts/term_error": Comparison(
        "two parts",
        "A loss term of a batch cut in two differs from that of the whole by {:.3g} of its value.",
        "Losses are taken part by part: negatives of the other parts are missing.",
        "gradient_accumulation_steps",
        SHARE,
    ),
    "parts/gradient_error": Comparison(
        "two parts",
        "The gradient of a batch cut in two differs from that of the whole by {:.3g} of its norm.",
        "Parts are left out, a part counts twice for a parameter that all share, or a second pass "
        "draws other random numbers than the first.",
        "gradient_accumulation_steps",
        SHARE,
    ),
    "half/term_error": Comparison(
        "bfloat16",
        "A loss term in half precision differs from the exact one by {:.3g} of its value.",
        "Similarities, logits or a softmax are computed in bfloat16: eight binary digits.",
        "precision",
        EXACT,
    ),
    "half/gradient_error": Comparison(
        "bfloat16",
        "The gradient of the losses in half precision is {:.3g} of its norm from the exact one.",
        "Similarities or a softmax are computed in bfloat16: a low temperature multiplies their "
        "rounding.",
        "precision",
        EXACT,
    ),
}


def one_batch(evidence: Evidence) -> Iterator[Finding]:
    """Compare what the self-tests measured with the whole batch in one process."""
    for name, comparison in COMPARISONS.items():
        error = evidence.diagnostics.get(name)
        most = TERM_TOLERANCE if name.endswith("term_error") else GRADIENT_TOLERANCE
        if error is None or error <= most:
            continue
        yield Finding(
            rule=RULE,
            severity="error",
            statement=comparison.statement.format(error),
            measured=error,
            threshold=most,
            formula=f"|{comparison.what} - whole| / |whole|, the same batch, the worst of all",
            null="below 1e-5, which is rounding",
            cause=comparison.cause,
            key=comparison.key,
            remedy=comparison.remedy,
            next_measurement="The same comparison for each term alone, with the other weights 0.",
        )
