"""D12: do the embeddings of different samples still differ, in each tower?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.matching import is_trained_to_match
from cinelex.doctor.rules.rule import Measured, Rule

MAX_COSINE = 0.9
"""Mean cosine of different samples that a matching term drives apart."""
MIN_RANK = 1.5
"""Effective rank of such samples."""
MIN_SPREAD = 0.1
"""Share of the spread at the first look, 1 - cosine, that must be left where no term matches."""
MAX_GAP = 1.2
"""Distance of the centres of two towers; 2 is the greatest."""


def towers(evidence: Evidence) -> list[str]:
    """Return the names of the towers whose embeddings were looked at."""
    keys = {key for row in evidence.steps for key in row if key.startswith("embedding/")}
    return sorted({key.split("/")[1] for key in keys if key.endswith("/cosine")})


def _collapsed(evidence: Evidence) -> Iterator[Measured]:
    if evidence.young or not is_trained_to_match(evidence):
        return
    for tower in towers(evidence):
        numbers = ("cosine", "rankme", "std", "uniformity")
        newest = {name: evidence.newest(f"embedding/{tower}/{name}") for name in numbers}
        cosine, rank = newest["cosine"], newest["rankme"]
        if cosine is None or rank is None or (cosine <= MAX_COSINE and rank >= MIN_RANK):
            continue
        named = {"tower": tower} | {name: value or 0.0 for name, value in newest.items()}
        course = (f"embedding/{tower}/cosine",)
        yield Measured(cosine, MAX_COSINE, named, course=course, line=MAX_COSINE)


def _narrowed(evidence: Evidence) -> Iterator[Measured]:
    """Compare with the fresh model: heads that nobody trains start in a cone and stay there."""
    if evidence.young or is_trained_to_match(evidence):
        return
    for tower in towers(evidence):
        key = f"embedding/{tower}/cosine"
        course = [1 - cosine for _, cosine in evidence.course(key)] or [0.0]
        if course[0] > 0 and course[-1] / course[0] < MIN_SPREAD:
            named = {"tower": tower, "fresh": course[0], "spread": course[-1]}
            yield Measured(course[-1] / course[0], MIN_SPREAD, named, course=(key,))


def _apart(evidence: Evidence) -> Iterator[Measured]:
    gap = evidence.newest("embedding/gap")
    if evidence.young or gap is None or gap <= MAX_GAP or not is_trained_to_match(evidence):
        return
    yield Measured(gap, MAX_GAP, course=("embedding/gap",), line=MAX_GAP)


COLLAPSED = Rule(
    id="D12",
    name="collapsed embeddings",
    statement="The {tower} embeddings have collapsed: two different samples have a cosine of "
    "{cosine:.3f} on average, and the effective rank is {rankme:.1f}.",
    formula="mean cosine of different rows {cosine:.4f}, RankMe {rankme:.2f} (at least 1.5), "
    "deviation {std:.2g}, uniformity {uniformity:.2f}",
    null="collapsed: cosine 1, rank 1, deviation 0, uniformity 0; random directions: cosine 0, "
    "uniformity near -4",
    cause="A loss that a constant satisfies (its own output as the target, no negatives), an "
    "output that is all bias, or an input that does not reach the output.",
    key="loss_weights",
    remedy="give the target no gradient, keep a contrastive term, and take the bias from the last "
    "layer.",
    next_measurement="The deviation over samples of each layer's output, from the input on.",
    check=_collapsed,
)
NARROWED = Rule(
    id="D12",
    name="less spread than the fresh model",
    statement="Of the spread that the {tower} embeddings of the fresh model had, {percent:.2g} % "
    "is left: what the encoder says of one sample it says of all.",
    formula="(1 - cosine) / (1 - cosine at the first look), cosines of different samples, = "
    "{spread:.3g} / {fresh:.3g}; no term drives samples apart here",
    null="1 for the fresh model, 0 for a constant",
    cause="A loss that a constant satisfies, such as one whose target is its own output.",
    key="loss_weights",
    remedy="give the target no gradient, or train a contrastive term beside it.",
    next_measurement="The same term with its target detached, for as many steps.",
    check=_narrowed,
)
APART = Rule(
    id="D12",
    name="modality gap",
    severity="warning",
    statement="The centres of the two towers are {value:.2f} apart: each has a cone of its own.",
    formula="|mean of unit rows - mean of unit rows|",
    null="0 where the towers share a centre, 2 at most",
    cause="The towers started in different cones and the temperature lets them stay there.",
    key="temperature",
    remedy="raise it, or start the heads without a bias.",
    next_measurement="The gap after 200 more steps; retrieval can be sound in spite of it.",
    check=_apart,
)
