"""The page of a sweep: what was tried, what won, by how much, and what cannot be told."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cinelex.config.flat import flat
from cinelex.config.load import dump_config, load_config
from cinelex.core.files import write_whole
from cinelex.doctor.charts import short
from cinelex.doctor.report.tables import tile
from cinelex.doctor.templates import Tile
from cinelex.doctor.templates import write_page as write
from cinelex.metrics.seeds import expected_maximum
from cinelex.sweeps.outcomes import Outcome, best, complete, outcomes, twins, winner
from cinelex.sweeps.pictures import kinds_of, parallel_coordinates, pareto_chart
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.verdict import (
    SHUFFLES,
    Comparison,
    Importance,
    compare,
    importances,
    not_distinct,
)

PAGE, BEST = "result.html", "best.yaml"
EDGE = 0.03
"""Share of a range next to its end: a winner there may have wanted to leave."""
CHANGE_THE_ORDER = ("batch", "data")
"""Keys and sections that change which studies a step sees."""


def write_page(studies: Studies) -> Path:
    """Write ``result.html``, and ``best.yaml`` where there is a winner; return the page's path.

    The page asks nothing of any other file or address and runs no script.
    """
    sweep, metrics = studies.sweep, studies.sweep.settings.metrics
    search, default = outcomes(studies.search), outcomes(studies.default)
    leader, every = winner(studies), [*default, *search]
    final = outcomes(studies.final)
    comparisons = [one for metric in metrics if (one := compare(final, metric)) is not None]
    drawn = kinds_of(every, {trial.number for trial in studies.search.best_trials}, leader)
    parameters = sweep.plan.swept
    shares = importances(search, parameters, metrics[0])
    return write(
        sweep.folder / PAGE,
        "page.html.jinja",
        Path(__file__).parent,
        name=sweep.name,
        sweep=sweep,
        settings=sweep.settings,
        metrics=metrics,
        keys=list(parameters),
        base=flat(sweep.base),
        search=search,
        default=default[0] if default else None,
        leader=leader,
        several=len(metrics) > 1,
        comparisons=comparisons,
        tiles=[*_tiles(metrics[0], [leader, *default], comparisons)],
        importance=shares,
        parallel=parallel_coordinates(drawn, parameters, metrics, flat(sweep.base)),
        pareto=pareto_chart(drawn, metrics),
        limits=limits(sweep, search, default, leader, comparisons, shares),
        best_config=_write_best(sweep, leader),
        best_path=(sweep.folder / BEST).as_posix(),
        short=short,
    )


def _write_best(sweep: Sweep, leader: Outcome | None) -> str | None:
    """Write the winner's whole config, ready to run on test studies, and return it."""
    if leader is None:
        return None
    values = [f"{key}={json.dumps(value)}" for key, value in leader.values.items()]
    config = load_config(sweep.folder / BASE_FILE, [*values, f"name={sweep.base.name}_best"])
    text = dump_config(config)
    write_whole(sweep.folder / BEST, text)
    return text


def _tiles(
    metric: Metric, shown: Sequence[Outcome | None], comparisons: Sequence[Comparison]
) -> Iterator[Tile]:
    for one in shown:
        if one is not None and one.state == "complete":
            yield tile(f"{one.label}, validation studies", one.scores[metric.name])
    for pair in comparisons:
        title = "Winner minus default, test studies"
        yield replace(tile(title, pair.difference), verdict=pair.verdict.partition(":")[0])


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
    score, interval = one.difference, ""
    if score.low is not None and score.high is not None:
        interval = f" (95 % interval {score.low:+.3g} to {score.high:+.3g})"
    return (
        f"Winner minus default recipe on {score.name}, {len(one.seeds)} new seeds, test studies: "
        f"{score.value:+.3g}{interval}, {one.verdict}."
    )


def _noise(
    sweep: Sweep, search: Sequence[Outcome], leader: Outcome, comparisons: Sequence[Comparison]
) -> Iterator[str]:
    metric, count = sweep.settings.metrics[0], len(complete(search))
    near = not_distinct(search, leader, metric)
    if near:
        yield (
            f"{len(near)} of the other {count - 1} complete configurations have a 95 % interval "
            f"that holds the winner's {metric.name} of {short(leader.value(metric.name))}: "
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
    for key, parameter in sweep.plan.swept.items():
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
