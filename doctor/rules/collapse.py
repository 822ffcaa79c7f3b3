"""D12: do the embeddings of different samples still differ in each tower, and their latents?"""

import math
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
MIN_LATENT_SPREAD = 0.05
"""Standard deviation of a number over pictures, as a share of that over all numbers of a batch."""
NEAR_BIAS = 0.15
"""Share by which the level may differ from that of a bias and still be taken for one."""
LATENT_PATIENCE = 20
"""Optimizer steps before which nobody is blamed."""


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


def _latents_collapsed(evidence: Evidence) -> Iterator[Measured]:
    """Look at the newest batches' latents: their spread over pictures, then their level."""
    spread, std = evidence.level("latent/batch_std"), evidence.level("latent/std")
    if evidence.last_step < LATENT_PATIENCE or spread is None or std is None:
        return
    share, bias = spread / std if std else 0.0, _bias(evidence, std)
    if share < MIN_LATENT_SPREAD:
        named = {
            **{"spread": spread, "std": std, "bias": f"; {bias}" if bias else ""},
            "to": " to the bias of their layer" if bias else "",
            "cause": ONLY_A_BIAS if bias else ANOTHER_CAUSE,
        }
        yield Measured(share, MIN_LATENT_SPREAD, named, course=("latent/batch_std", "latent/std"))


def _bias(evidence: Evidence, std: float) -> str:
    """Return how the level gives a bias away: 1/sqrt(3 fan_in), and sqrt(3) of it at most."""
    expected, most = evidence.level("latent/std/bias"), evidence.level("latent/max")
    if expected is None or most is None or not std:
        return ""
    if not (_near(std, expected) and _near(most / std, math.sqrt(3))):
        return ""
    return (
        f"std {std:.4g} is 1/sqrt(3 fan_in) = {expected:.4g}, "
        f"max/std {most / std:.3f} is sqrt(3) = {math.sqrt(3):.3f}"
    )


def _near(value: float, expected: float) -> bool:
    return abs(value - expected) <= NEAR_BIAS * expected


COLLAPSED = Rule(
    id="D12",
    name="collapsed embeddings",
    statement="The {tower} embeddings have collapsed: two different samples have a cosine of "
    "{cosine:.3f} on average, and the effective rank is {rankme:.1f}.",
    formula="mean cosine of different rows {cosine:.4f}, RankMe {rankme:.2f} (at least 1.5), "
    "deviation {std:.2g}, uniformity {uniformity:.2f}",
    null="collapsed: cosine 1, rank 1, deviation 0, uniformity 0; random directions: cosine 0, "
    "uniformity near -4",
    cause="A loss that a constant output minimises (its own output as the target, no "
    "negatives), an output that is all bias, or an input that does not reach the output.",
    key="loss_weights",
    remedy="give the target no gradient, keep a contrastive term, and take the bias from the last "
    "layer.",
    next_measurement="The deviation over samples of each layer's output, from the input on.",
    check=_collapsed,
)
NARROWED = Rule(
    id="D12",
    name="less spread than the fresh model",
    statement="The {tower} embeddings keep {percent:.2g} % of the spread they had in the "
    "untrained model: the encoder gives nearly the same output for every sample.",
    formula="(1 - cosine) / (1 - cosine at the first look), cosines of different samples, = "
    "{spread:.3g} / {fresh:.3g}; no term drives samples apart here",
    null="1 for the fresh model, 0 for a constant",
    cause="A loss that a constant output minimises, such as one whose target is its own output.",
    key="loss_weights",
    remedy="give the target no gradient, or train a contrastive term beside it.",
    next_measurement="The same term with its target detached, for as many steps.",
    check=_narrowed,
)
APART = Rule(
    id="D12",
    name="modality gap",
    severity="warning",
    statement="The mean embeddings of the two towers are {value:.2f} apart: each occupies its "
    "own cone.",
    formula="|mean of unit rows - mean of unit rows|",
    null="0 where the towers share a centre, 2 at most",
    cause="The towers started in different cones and the temperature lets them stay there.",
    key="temperature",
    remedy="raise it, or start the heads without a bias.",
    next_measurement="The gap after 200 more steps; retrieval can be sound in spite of it.",
    check=_apart,
)
ONLY_A_BIAS = (
    "The encoder says nothing (its last activation is dead, or its input is constant), so that the "
    "layer's bias is all that comes out."
)
ANOTHER_CAUSE = "A loss that a constant satisfies, or an encoder that no longer gets a gradient."
LATENTS_COLLAPSED = Rule(
    id="D12",
    name="collapsed latents",
    statement="The latents have collapsed{to}: of their standard deviation of {std:.4g} only "
    "{percent:.2g} % is between pictures.",
    formula="std of a number over pictures / std of all numbers = {spread:.3g} / {std:.3g}{bias}",
    null="0 where all pictures have one latent, about 1 where latents are random; mean, std, norm, "
    "least and greatest number can be the same in both",
    cause="{cause}",
    key="latent.head",
    remedy="use a head without a bias (places), keep the norm before it, and keep alignment above "
    "0; lower optimizer.learning_rate if it happened on the way.",
    next_measurement="latent/batch_std, latent/rankme and latent/cosine of the first 50 steps.",
    check=_latents_collapsed,
)
