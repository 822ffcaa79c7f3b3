"""The charts of the report page: what the record says about the run, step by step."""

from collections.abc import Sequence

from cinelex.doctor.charts import Chart, Series, line_chart
from cinelex.doctor.evidence import Row, course
from cinelex.doctor.run_files import RunFiles
from cinelex.projects import PROJECTS

NULL_NOTES = {
    "chance": "Chance: a model that knows nothing.",
    "floor": "Floor: no model gets below it at this temperature and batch.",
}
"""What is said of the nulls of a loss, which the record holds as ``chance/<term>`` and so on."""
_CHANCE = "/chance"
_SKEWED = 20.0


def label_of(run: RunFiles, term: str) -> str:
    """Return what a loss term is called; one of an unknown project goes by its name."""
    terms = PROJECTS[run.config.project].terms if run.config else {}
    return terms[term].label if term in terms else term


def loss_charts(run: RunFiles) -> list[Chart]:
    """Return a chart for each unweighted loss term, with its chance and its floor."""
    terms = PROJECTS[run.config.project].terms if run.config else {}
    charts = []
    for key in _keys(run.steps):
        kind, _, term = key.partition("/")
        if kind != "loss" or not term:
            continue
        nulls = [Series(null, course(run.steps, f"{null}/{term}")) for null in NULL_NOTES]
        unit = f"{terms[term].unit.capitalize()}." if term in terms else "Unweighted."
        note = " ".join([unit, *(NULL_NOTES[null.label] for null in nulls if null.points)])
        lines = [Series("loss", course(run.steps, key))]
        charts.append(line_chart(label_of(run, term), note=note, lines=lines, nulls=nulls))
    return [chart for chart in charts if chart is not None]


def course_charts(run: RunFiles) -> list[Chart]:
    """Return temperature, learning rate, gradient norm and what weights moved over the run."""
    limit = run.config.max_grad_norm if run.config else None
    norms = course(run.steps, "grad_norm")
    values = sorted(value for _, value in norms)
    clipped = [] if limit is None else [(step, limit) for step, _ in norms]
    skewed = bool(values) and values[-1] > _SKEWED * values[len(values) // 2]
    charts = [
        line_chart("Temperature", note="Divisor of the cosines.", lines=_line(run, "temperature")),
        line_chart("Learning rate", note="As scheduled.", lines=_line(run, "learning_rate")),
        line_chart(
            "Gradient norm",
            note="L2 norm before clipping.",
            lines=_line(run, "grad_norm"),
            nulls=[Series("clipped above", clipped)],
            log=skewed,
        ),
        _weights(run),
    ]
    return [chart for chart in charts if chart is not None]


def _weights(run: RunFiles) -> Chart | None:
    """Return the weights of the loss terms; None where none of them ever changed."""
    keys = [key for key in _keys(run.steps) if key.startswith("weight/")]
    lines = [Series(label_of(run, k.removeprefix("weight/")), course(run.steps, k)) for k in keys]
    values = {line.label: {value for _, value in line.points} for line in lines}
    if all(len(found) < 2 for found in values.values()):
        return None
    name = run.config.balance.name if run.config else "fixed"
    return line_chart(
        "Weights of the loss terms",
        note=f"As each step had them. Balance: {name}.",
        lines=lines,
        log=all(value > 0 for found in values.values() for value in found),
    )


def held_out_charts(run: RunFiles) -> list[Chart]:
    """Return what was validated beside its chance, all directions of search in one chart."""
    keys = _keys(run.validations)
    judged = [key for key in keys if f"{key}{_CHANCE}" in keys]
    charts = []
    for metric in dict.fromkeys(key.rpartition("/")[2] for key in judged):
        lines: list[Series] = []
        nulls: list[Series] = []
        for key in (key for key in judged if key.endswith(f"/{metric}")):
            way = key.split("/")[-2].replace("_", " ")
            lines.append(Series(way, course(run.validations, key)))
            chance = course(run.validations, f"{key}{_CHANCE}")
            if all(series.points != chance for series in nulls):
                nulls.append(Series(f"chance, {way}" if nulls else "chance", chance))
        title = f"{metric.replace('_', ' ').capitalize()}, validation"
        charts.append(line_chart(title, note="Whole validation gallery.", lines=lines, nulls=nulls))
    cosines = {"positive_cosine": "own report", "negative_cosine": "other reports"}
    charts.append(
        line_chart(
            "Cosines, validation",
            note="Collapse lifts both; only the gap says that something was learned.",
            lines=[
                Series(label, course(run.validations, f"retrieval/{key}"))
                for key, label in cosines.items()
            ],
        )
    )
    return [chart for chart in charts if chart is not None]


def _line(run: RunFiles, key: str) -> list[Series]:
    return [Series(key, course(run.steps, key))]


def _keys(rows: Sequence[Row]) -> list[str]:
    """Return the keys of all rows in the order in which they first appear."""
    return list(dict.fromkeys(key for row in rows for key in row))
