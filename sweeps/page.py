"""The page of a sweep: what was tried, what won, by how much, and what cannot be told."""

import json
from collections.abc import Sequence
from pathlib import Path

from cinelex.config.load import dump_config, load_config
from cinelex.core.files import write_whole
from cinelex.doctor.charts import short
from cinelex.doctor.templates import Tile, environment
from cinelex.sweeps.importance import importances
from cinelex.sweeps.limits import limits
from cinelex.sweeps.objectives import better
from cinelex.sweeps.outcomes import Outcome, outcomes, pareto_front, winner
from cinelex.sweeps.pictures import Kind, parallel_coordinates, pareto_chart
from cinelex.sweeps.plan import Metric
from cinelex.sweeps.settings import BASE_FILE, Sweep
from cinelex.sweeps.studies import Studies
from cinelex.sweeps.task import flat
from cinelex.sweeps.verdict import Comparison, compare

PAGE, BEST = "result.html", "best.yaml"


def write_page(studies: Studies) -> Path:
    """Write ``result.html``, and ``best.yaml`` where there is a winner; return the page's path.

    The page asks nothing of any other file or address and runs no script.
    """
    sweep = studies.sweep
    metrics = sweep.settings.metrics
    search, default = outcomes(studies.search), outcomes(studies.default)
    leader = winner(studies)
    found = [compare(outcomes(studies.final), metric) for metric in metrics]
    comparisons = [one for one in found if one is not None]
    front = pareto_front([*default, *search], metrics)
    kinds = {one.number: _kind(one, leader, front) for one in search}
    parameters = {key: sweep.plan.parameters[key] for key in sweep.plan.swept}
    shares = importances(search, parameters, metrics[0])
    best_config = _write_best(sweep, leader)
    page = (
        environment(Path(__file__).parent)
        .get_template("page.html.jinja")
        .render(
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
            tiles=_tiles(leader, default, comparisons, metrics[0]),
            importance=shares,
            parallel=parallel_coordinates(
                [*default, *search], parameters, metrics, kinds, flat(sweep.base)
            ),
            pareto=pareto_chart([*default, *search], metrics, kinds),
            limits=limits(sweep, search, default, leader, comparisons, shares),
            best_config=best_config,
            best_path=(sweep.folder / BEST).as_posix(),
            short=short,
        )
    )
    path = sweep.folder / PAGE
    write_whole(path, page)
    return path


def _kind(one: Outcome, leader: Outcome | None, front: Sequence[Outcome]) -> Kind:
    if leader is not None and one.number == leader.number:
        return "winner"
    if one.state == "complete":
        return "front" if one in front else "trial"
    return "pruned"


def _write_best(sweep: Sweep, leader: Outcome | None) -> str | None:
    """Write the winner's whole config, ready to run on test studies, and return it."""
    if leader is None:
        return None
    told = [f"{key}={json.dumps(value)}" for key, value in leader.values.items()]
    config = load_config(sweep.folder / BASE_FILE, [*told, f"name={sweep.base.name}_best"])
    text = dump_config(config)
    write_whole(sweep.folder / BEST, text)
    return text


def _tiles(
    leader: Outcome | None,
    default: Sequence[Outcome],
    comparisons: Sequence[Comparison],
    metric: Metric,
) -> list[Tile]:
    tiles = []
    for label, one in (("Winner", leader), ("Default recipe", default[0] if default else None)):
        if one is None or one.state != "complete":
            continue
        score = one.scores[metric.name]
        null = "–" if score.null is None else short(score.null)
        end = score.low if metric.goal == "maximize" else score.high
        tiles.append(
            Tile(
                f"{label}, validation studies",
                short(score.value),
                f"null {null}",
                _interval(score.low, score.high),
                f"{one.label}",
                None if end is None or score.null is None else better(metric.goal, end, score.null),
            )
        )
    for one_comparison in comparisons:
        tiles.append(_difference_tile(one_comparison))
    return tiles


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
