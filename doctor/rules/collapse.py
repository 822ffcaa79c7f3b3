"""D12: do the embeddings of different samples still differ, in each tower?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.doctor.rules.matching import is_trained_to_match

RULE = "D12"
MAX_COSINE = 0.9
"""Mean cosine of different samples that a matching term drives apart."""
MIN_RANK = 1.5
"""Effective rank of such samples."""
MIN_SPREAD = 0.1
"""Share of the spread at the first look, 1 - cosine, that must be left where no term matches."""
MAX_GAP = 1.2
"""Distance of the centres of two towers; 2 is the greatest."""


def collapse(evidence: Evidence) -> Iterator[Finding]:
    """Look at the newest probe of each tower, once there was time to spread."""
    if evidence.young:
        return
    if not is_trained_to_match(evidence):
        yield from _narrowed(evidence)
        return
    for tower in towers(evidence):
        cosine = evidence.newest(f"embedding/{tower}/cosine")
        rank = evidence.newest(f"embedding/{tower}/rankme")
        if cosine is None or rank is None:
            continue
        if cosine > MAX_COSINE or rank < MIN_RANK:
            yield _collapsed(evidence, tower, cosine, rank)
    gap = evidence.newest("embedding/gap")
    if gap is not None and gap > MAX_GAP:
        yield _apart(gap)


def towers(evidence: Evidence) -> list[str]:
    """Return the names of the towers whose embeddings were looked at."""
    keys = {key for row in evidence.steps for key in row if key.startswith("embedding/")}
    return sorted({key.split("/")[1] for key in keys if key.endswith("/cosine")})


def _collapsed(evidence: Evidence, tower: str, cosine: float, rank: float) -> Finding:
    std = evidence.newest(f"embedding/{tower}/std") or 0.0
    uniformity = evidence.newest(f"embedding/{tower}/uniformity") or 0.0
    return Finding(
        rule=RULE,
        severity="error",
        statement=(
            f"The {tower} embeddings have collapsed: two different samples have a cosine of "
            f"{cosine:.3f} on average, and the effective rank is {rank:.1f}."
        ),
        measured=cosine,
        threshold=MAX_COSINE,
        formula=(
            f"mean cosine of different rows {cosine:.4f}, RankMe {rank:.2f} (least {MIN_RANK}), "
            f"deviation {std:.2g}, uniformity {uniformity:.2f}"
        ),
        null="collapsed: cosine 1, rank 1, deviation 0, uniformity 0; random directions: cosine "
        "0, uniformity near -4",
        cause=(
            "A loss that a constant satisfies (its own output as the target, no negatives), an "
            "output that is all bias, or an input that does not reach the output."
        ),
        key="loss_weights",
        remedy="give the target no gradient, keep a contrastive term, and take the bias from the "
        "last layer.",
        next_measurement="The deviation over samples of each layer's output, from the input on.",
        course=(f"embedding/{tower}/cosine",),
        line=MAX_COSINE,
    )


def _narrowed(evidence: Evidence) -> Iterator[Finding]:
    """Compare with the fresh model: heads that nobody trains start in a cone and stay there."""
    for tower in towers(evidence):
        course = [cosine for _, cosine in evidence.course(f"embedding/{tower}/cosine")]
        fresh = 1 - course[0] if course else 0.0
        if fresh <= 0 or (1 - course[-1]) / fresh >= MIN_SPREAD:
            continue
        left = (1 - course[-1]) / fresh
        yield Finding(
            rule=RULE,
            severity="error",
            statement=(
                f"Of the spread that the {tower} embeddings of the fresh model had, "
                f"{100 * left:.2g} % is left: what the encoder says of one sample it says of all."
            ),
            measured=left,
            threshold=MIN_SPREAD,
            formula=(
                "(1 - cosine) / (1 - cosine at the first look), cosines of different samples, = "
                f"{1 - course[-1]:.3g} / {fresh:.3g}; no term drives samples apart here"
            ),
            null="1 for the fresh model, 0 for a constant",
            cause="A loss that a constant satisfies, such as one whose target is its own output.",
            key="loss_weights",
            remedy="give the target no gradient, or train a contrastive term beside it.",
            next_measurement="The same term with its target detached, for as many steps.",
            course=(f"embedding/{tower}/cosine",),
        )


def _apart(gap: float) -> Finding:
    return Finding(
        rule=RULE,
        severity="warning",
        statement=f"The centres of the two towers are {gap:.2f} apart: each has a cone of its own.",
        measured=gap,
        threshold=MAX_GAP,
        formula="|mean of unit rows - mean of unit rows|",
        null="0 where the towers share a centre, 2 at most",
        cause="The towers started in different cones and the temperature lets them stay there.",
        key="temperature",
        remedy="raise it, or start the heads without a bias.",
        next_measurement="The gap after 200 more steps; retrieval can be sound in spite of it.",
        course=("embedding/gap",),
        line=MAX_GAP,
    )
