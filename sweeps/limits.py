"""What a sweep cannot tell, in sentences with their numbers."""

from collections.abc import Sequence

from cinelex.doctor.charts import short
from cinelex.sweeps.importance import SHUFFLES, Importance
from cinelex.sweeps.outcomes import Outcome, best, twins
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.verdict import Comparison, expected_maximum, not_distinct

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
) -> list[str]:
    """Return every reason not to believe more than this sweep shows."""
    lines = [_comparison(one) for one in comparisons]
    metric = sweep.settings.metrics[0]
    if leader is not None:
        if best([leader, *default], metric) is not leader:
            lines.append(
                f"On the validation studies the default recipe scores better on {metric.name} than "
                "every configuration that was tried; the winner is the best of those."
            )
        later = best([leader, *search], metric)
        if later is not None and later.number != leader.number:
            lines.append(
                f"{later.label} was tried after the final runs had begun, and scores better than "
                "the winner that they compare; another sweep can compare it."
            )
        lines += _noise(sweep, search, leader, comparisons)
        lines += _edges(sweep, leader)
    lines += _keys(shares)
    lines += _fairness(sweep, search)
    return lines


def _comparison(one: Comparison) -> str:
    name = one.metric.name
    told = f"winner minus default recipe on {name}: {one.difference:+.3g}"
    if one.low is None or one.high is None:
        return f"{told}, with one seed: nobody can say whether that is noise."
    interval = f"95 % interval {one.low:+.3g} to {one.high:+.3g} over {len(one.seeds)} seeds"
    if one.significant:
        return f"{told} ({interval}): better beyond the noise of seeds, on these test studies."
    if one.low <= 0 <= one.high:
        return (
            f"{told} ({interval}): inside the noise. This sweep does not show that the winner is "
            "better than the default recipe."
        )
    return f"{told} ({interval}): the winner is worse than the default recipe."


def _noise(
    sweep: Sweep, search: Sequence[Outcome], leader: Outcome, comparisons: Sequence[Comparison]
) -> list[str]:
    metric = sweep.settings.metrics[0]
    complete = [one for one in search if one.state == "complete"]
    lines = []
    near = not_distinct(search, leader, metric)
    if near:
        lines.append(
            f"{len(near)} of the other {len(complete) - 1} complete configurations have a 95 % "
            f"interval that holds the winner's {metric.name} of "
            f"{short(leader.score(metric))}: by the validation studies they cannot be "
            "told from it."
        )
    spread = comparisons[0].spread if comparisons else None
    if spread is not None and len(complete) > 1:
        values = [one.score(metric) for one in complete]
        lead = abs(leader.score(metric) - sum(values) / len(values))
        chance = expected_maximum(len(complete)) * spread
        lines.append(
            f"Were all {len(complete)} configurations equally good, the best would still stand "
            f"about {short(chance)} above their mean, by chance alone (standard deviation over "
            f"seeds {short(spread)}); this one stands {short(lead)} above it"
            + ("." if lead > chance else ": no more than chance gives.")
        )
    return lines


def _edges(sweep: Sweep, leader: Outcome) -> list[str]:
    lines = []
    for key in sweep.plan.swept:
        parameter = sweep.plan.parameters[key]
        position = parameter.position(leader.values[key])
        if len(parameter.ends()) == 2 and position is not None:
            end = "lower" if position < EDGE else "upper" if position > 1 - EDGE else None
            if end:
                lines.append(
                    f"The winner's {key} lies at the {end} end of its range; what is beyond was "
                    "not tried."
                )
    return lines


def _keys(shares: Sequence[Importance]) -> list[str]:
    if not shares:
        return ["Too few configurations are complete to say which key matters."]
    lost = [one.key for one in shares if not one.significant]
    if not lost:
        return []
    return [
        f"Whether {', '.join(lost)} matter cannot be told: when the scores are shuffled "
        f"{SHUFFLES} times, they explain as much at least once."
    ]


def _fairness(sweep: Sweep, search: Sequence[Outcome]) -> list[str]:
    seeds = len(sweep.search_seeds())
    lines = [
        f"Every configuration was trained with the same {seeds} seed{'s' if seeds > 1 else ''}, "
        "hence from the same initial draws and on the same order of the data; that another seed "
        "would rank them alike is not shown."
    ]
    moved = [key for key in sweep.plan.swept if key.partition(".")[0] in CHANGE_THE_ORDER]
    if moved:
        lines.append(
            f"{', '.join(moved)} changes which studies a step sees, so configurations that differ "
            "in it have not seen the same data in the same order."
        )
    pruned = sum(one.state == "pruned" for one in search)
    if pruned:
        lines.append(
            f"{pruned} configurations were ended early; what they would have reached is unknown."
        )
    failed = [one for one in search if one.state == "failed"]
    if failed:
        lines.append(f"{len(failed)} configurations failed, the first with: {failed[0].error}")
    left = sum(one.state in ("waiting", "running") for one in search)
    if left:
        lines.append(f"{left} configurations are not finished; --resume goes on with them.")
    lines += [
        f"{one.label} and {other.label} recorded the same to the bit though their values differ: "
        "what differs does not reach the training."
        for one, other in twins(search)
    ]
    return lines
