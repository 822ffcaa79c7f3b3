"""The page of a sweep: what was tried, what won, by how much, and what cannot be told."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cinelex.config.flat import flat
from cinelex.config.load import dump_config, load_config
from cinelex.core.files import write_whole
from cinelex.doctor.charts import short
from cinelex.doctor.report.tables import tile
from cinelex.doctor.templates import Tile
from cinelex.doctor.templates import write_page as write
from cinelex.metrics.importance import SHUFFLES
from cinelex.metrics.seeds import expected_maximum
from cinelex.sweeps.outcomes import Outcome, best, complete, outcomes, twins, winner
from cinelex.sweeps.pictures import kinds_of, parallel_coordinates, pareto_chart
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.verdict import (
    Comparison,
    compare,
    importance_of,
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
    shares = importance_of(search, parameters, metrics[0])
    return write(
        sweep.folder / PAGE,
        "page.html.jinja",
        Path(__file__).parent,
        sweep=sweep,
        base=flat(sweep.base),
        search=search,
        default=default[0] if default else None,
        leader=leader,
        comparisons=comparisons,
        tiles=[*_tiles(metrics[0], [leader, *default], comparisons)],
        importance=shares,
        parallel=parallel_coordinates(drawn, parameters, metrics, flat(sweep.base)),
        pareto=pareto_chart(drawn, metrics),
        doubts=doubts(sweep, search, default, leader, comparisons),
        shuffles=SHUFFLES,
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


def doubts(
    sweep: Sweep,
    search: Sequence[Outcome],
    default: Sequence[Outcome],
    leader: Outcome | None,
    comparisons: Sequence[Comparison],
) -> Mapping[str, Any]:
    """Return what the list of reasons not to believe a sweep has to have computed."""
    metric, done = sweep.settings.metrics[0], complete(search)
    later = best([leader, *search], metric) if leader else None
    spread = comparisons[0].spread if comparisons and leader and len(done) > 1 else None
    mean = sum(one.gain(metric) for one in done) / max(1, len(done))
    return {
        "complete": len(done),
        "moved": [key for key in sweep.plan.swept if key.partition(".")[0] in CHANGE_THE_ORDER],
        "twins": twins(search),
        "default_leads": leader and best([leader, *default], metric) is not leader,
        "later": later if leader and later and later.number != leader.number else None,
        "near": len(not_distinct(search, leader, metric)) if leader else 0,
        # how far the winner stands above the mean of all, and would if all were equally good
        "lead": leader.gain(metric) - mean if leader else 0.0,
        "chance": None if spread is None else expected_maximum(len(done)) * spread,
        "edges": [*_edges(sweep, leader)] if leader else [],
    }


def _edges(sweep: Sweep, leader: Outcome) -> Iterator[tuple[str, str]]:
    for key, parameter in sweep.plan.swept.items():
        position = parameter.position(leader.values[key])
        if not parameter.choices and position is not None and not EDGE <= position <= 1 - EDGE:
            yield key, "lower" if position < EDGE else "upper"
