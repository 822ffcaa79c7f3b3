"""What a sweep cannot tell, in sentences with their numbers."""

from collections.abc import Iterator, Sequence

from cinelex.doctor.charts import short
from cinelex.metrics.seeds import expected_maximum
from cinelex.sweeps.outcomes import Outcome, best, complete, twins
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.verdict import SHUFFLES, Comparison, Importance, not_distinct

EDGE = 0.03
"""Share of a range next to its end: a winner there may have wanted to leave."""
CHANGE_THE_ORDER = ("batch", "data")
"""Keys and sections that change which studies a step sees."""


def limits(
    sweep: Sweep,
    search: Sequence[Outcome],
    default: Sequence[Outcome],
    leader: Outcome | None,
    comparisons: Sequence[Comparison],
    shares: Sequence[Importance],
) -> Iterator[str]:
    """Yield every reason not to believe more than this sweep shows."""
    metric = sweep.settings.metrics[0]
    yield from map(_comparison, comparisons)
    if leader is not None:
        if best([leader, *default], metric) is not leader:
            yield (
                f"On the validation studies the default recipe scores better on {metric.name} than "
                "every configuration that was tried; the winner is the best of those."
            )
        later = best([leader, *search], metric)
        if later is not None and later.number != leader.number:
            yield (
                f"{later.label} was tried after the final runs had begun, and scores better than "
                "the winner that they compare; another sweep can compare it."
            )
        yield from _noise(sweep, search, leader, comparisons)
        yield from _edges(sweep, leader)
    lost = [one.key for one in shares if not one.significant]
    if not shares:
        yield "Too few configurations are complete to say which key matters."
    elif lost:
        yield (
            f"Whether {', '.join(lost)} matter cannot be told: when the scores are shuffled "
            f"{SHUFFLES} times, they explain as much at least once."
        )
    yield from _fairness(sweep, search)


def _comparison(one: Comparison) -> str:
    told = f"winner minus default recipe on {one.metric.name}: {one.difference:+.3g}"
    if one.low is None or one.high is None:
        return f"{told}, with one seed: nobody can say whether that is noise."
    told += f" (95 % interval {one.low:+.3g} to {one.high:+.3g} over {len(one.seeds)} seeds): "
    if one.significant:
        return f"{told}better beyond the noise of seeds, on these test studies."
    if one.low <= 0 <= one.high:
        return (
            f"{told}inside the noise. This sweep does not show that the winner is better than the "
            "default recipe."
        )
    return f"{told}the winner is worse than the default recipe."


def _noise(
    sweep: Sweep, search: Sequence[Outcome], leader: Outcome, comparisons: Sequence[Comparison]
) -> Iterator[str]:
    metric, count = sweep.settings.metrics[0], len(complete(search))
    near = not_distinct(search, leader, metric)
    if near:
        yield (
            f"{len(near)} of the other {count - 1} complete configurations have a 95 % interval "
            f"that holds the winner's {metric.name} of {short(leader.scores[metric.name].value)}: "
            "by the validation studies they cannot be told from it."
        )
    spread = comparisons[0].spread if comparisons else None
    if spread is not None and count > 1:
        gains = [one.gain(metric) for one in complete(search)]
        lead = leader.gain(metric) - sum(gains) / count
        chance = expected_maximum(count) * spread
        yield (
            f"Were all {count} configurations equally good, the best would still stand about "
            f"{short(chance)} above their mean, by chance alone (standard deviation over seeds "
            f"{short(spread)}); this one stands {short(lead)} above it"
            + ("." if lead > chance else ": no more than chance gives.")
        )


def _edges(sweep: Sweep, leader: Outcome) -> Iterator[str]:
    for key in sweep.plan.swept:
        parameter = sweep.plan.parameters[key]
        position = parameter.position(leader.values[key])
        if not parameter.choices and position is not None and not EDGE <= position <= 1 - EDGE:
            end = "lower" if position < EDGE else "upper"
            yield (
                f"The winner's {key} lies at the {end} end of its range; what is beyond was not "
                "tried."
            )


def _fairness(sweep: Sweep, search: Sequence[Outcome]) -> Iterator[str]:
    seeds = len(sweep.search_seeds())
    yield (
        f"Every configuration was trained with the same {seeds} seed{'s' if seeds > 1 else ''}, "
        "hence from the same initial draws and on the same order of the data; that another seed "
        "would rank them alike is not shown."
    )
    moved = [key for key in sweep.plan.swept if key.partition(".")[0] in CHANGE_THE_ORDER]
    if moved:
        yield (
            f"{', '.join(moved)} changes which studies a step sees, so configurations that differ "
            "in it have not seen the same data in the same order."
        )
    pruned = sum(one.state == "pruned" for one in search)
    if pruned:
        yield f"{pruned} configurations were ended early; what they would have reached is unknown."
    failed = [one for one in search if one.state == "fail"]
    if failed:
        yield f"{len(failed)} configurations failed, the first with: {failed[0].error}"
    left = sum(one.state in ("waiting", "running") for one in search)
    if left:
        yield f"{left} configurations are not finished; --resume goes on with them."
    for one, other in twins(search):
        yield (
            f"{one.label} and {other.label} recorded the same to the bit though their values "
            "differ: what differs does not reach the training."
        )
