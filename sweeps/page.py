"""The page of a sweep: what was tried, what won, by how much, and what cannot be told."""

import json
from collections.abc import Iterator
from pathlib import Path

from cinelex.config.flat import flat
from cinelex.config.load import dump_config, load_config
from cinelex.core.files import write_whole
from cinelex.doctor.charts import short
from cinelex.doctor.templates import Tile, environment
from cinelex.sweeps.limits import limits
from cinelex.sweeps.outcomes import Outcome, outcomes, pareto_front, winner
from cinelex.sweeps.pictures import kinds_of, parallel_coordinates, pareto_chart
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.verdict import Comparison, compare, importances

PAGE, BEST = "result.html", "best.yaml"


def write_page(studies: Studies) -> Path:
    """Write ``result.html``, and ``best.yaml`` where there is a winner; return the page's path.

    The page asks nothing of any other file or address and runs no script.
    """
    sweep, metrics = studies.sweep, studies.sweep.settings.metrics
    search, default = outcomes(studies.search), outcomes(studies.default)
    leader, every = winner(studies), [*default, *search]
    final = outcomes(studies.final)
    comparisons = [one for metric in metrics if (one := compare(final, metric)) is not None]
    drawn = kinds_of(every, pareto_front(every, metrics), leader)
    parameters = {key: sweep.plan.parameters[key] for key in sweep.plan.swept}
    shares = importances(search, parameters, metrics[0])
    page = environment(Path(__file__).parent).get_template("page.html.jinja")
    content = page.render(
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
        tiles=[
            *_tiles(metrics[0], {"Winner": leader, "Default recipe": next(iter(default), None)}),
            *map(_difference_tile, comparisons),
        ],
        importance=shares,
        parallel=parallel_coordinates(drawn, parameters, metrics, flat(sweep.base)),
        pareto=pareto_chart(drawn, metrics),
        limits=limits(sweep, search, default, leader, comparisons, shares),
        best_config=_write_best(sweep, leader),
        best_path=(sweep.folder / BEST).as_posix(),
        short=short,
    )
    write_whole(sweep.folder / PAGE, content)
    return sweep.folder / PAGE


def _write_best(sweep: Sweep, leader: Outcome | None) -> str | None:
    """Write the winner's whole config, ready to run on test studies, and return it."""
    if leader is None:
        return None
    told = [f"{key}={json.dumps(value)}" for key, value in leader.values.items()]
    config = load_config(sweep.folder / BASE_FILE, [*told, f"name={sweep.base.name}_best"])
    text = dump_config(config)
    write_whole(sweep.folder / BEST, text)
    return text


def _tiles(metric: Metric, shown: dict[str, Outcome | None]) -> Iterator[Tile]:
    for label, one in shown.items():
        if one is not None and one.state == "complete":
            score = one.scores[metric.name]
            null, beyond = "–" if score.null is None else short(score.null), None
            if score.null is not None and score.low is not None and score.high is not None:
                more = metric.goal == "maximize"
                beyond = score.low > score.null if more else score.high < score.null
            yield Tile(
                f"{label}, validation studies",
                short(score.value),
                f"null {null}",
                _interval(score.low, score.high),
                one.label,
                beyond,
            )


def _difference_tile(one: Comparison) -> Tile:
    verdicts = {True: "better than noise", False: "inside the noise", None: "one seed"}
    verdict = verdicts[one.significant]
    if one.significant is False and one.low is not None and one.high is not None:
        verdict = verdict if one.low <= 0 <= one.high else "worse than the default"
    return Tile(
        f"Winner minus default, test studies: {one.metric.name.rpartition('/')[2]}",
        f"{one.difference:+.3g}",
        "null 0",
        _interval(one.low, one.high),
        verdict,
        one.significant,
    )


def _interval(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"95 %: {short(low)} to {short(high)}"
