"""The model card of an export: what the run measured, beside its nulls, in Markdown."""

from collections.abc import Mapping, Sequence

from cinelex.config.schema import RunConfig
from cinelex.projects.interface.results import Estimate, Results, Score
from cinelex.trained.held_out import Found

USE = """## Intended use

Research on videos and reports: search, captions and features. It is no medical device, was not
validated for any clinical decision, and a caption can state what is not there. Before use on data
of another site, machine or patient group, evaluate it there (`cinelex evaluate`). The weights were
fitted to reports and videos; whoever shares them is to know what of these they may give away.
"""


def card(
    config: RunConfig,
    results: Results | None,
    engines: Mapping[str, Found],
    towers: Mapping[str, str],
    *,
    unmeasured: str = "",
) -> str:
    """Return the card.

    Args:
        config: The run.
        results: What its evaluation found; None where it was not evaluated.
        engines: What each form of the export scores on the held-out studies.
        towers: By name, the line of code that loads a tower alone.
        unmeasured: Why ``engines`` is empty.
    """
    data, colour = config.data, "in colour" if config.data.channels == 3 else "in gray"
    about = (
        f"A {config.project} model of studies (several videos) and reports: {config.steps} steps "
        f"of {config.batch}, seed {config.seed}; a clip has {data.frames} frames of {data.size} "
        f"pixels a side {colour}."
    )
    parts = ["---\nlibrary_name: cinelex\ntags: [video-text]\n---", f"# {config.name}", about]
    parts.append('```python\nimport cinelex\n\nrun = cinelex.load("FOLDER")\n```')
    parts += [_engines(engines) if engines else f"R@1 of the export: not measured ({unmeasured})."]
    parts += [USE, *_results(results)]
    if towers:
        lines = [f"- {name}: `{line}`" for name, line in towers.items()]
        parts.append("\n".join(["## Towers alone, adapters merged", "", *lines]))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _engines(engines: Mapping[str, Found]) -> str:
    studies = next(iter(engines.values())).studies
    rows = [
        [name, _estimate(one.recall_at_1, "share"), _text(one.recall_at_1["chance"], "share")]
        + [f"{one.differs:.1e}"]
        for name, one in engines.items()
    ]
    head = ["form", "R@1, study to report", "chance", "largest difference of a unit row"]
    table = _table(head, rows)
    return f"## What was exported\n\nOn the run's {studies} held-out studies:\n\n{table}"


def _results(results: Results | None) -> list[str]:
    if results is None:
        return ["## Results\n\nThe run was not evaluated."]
    parts = ["## Results\n\nEach value with its 95 % interval, beside what knowing nothing scores."]
    for group in results.groups:
        rows = [
            [score.label, _estimate(score.as_json(), score.unit), _nulls(score)]
            for score in group.scores
        ]
        parts.append(
            f"### {group.title}\n\n{group.note}\n\n{_table(['score', 'value', 'nulls'], rows)}"
        )
    hashes = [f"- {name}: `{value}`" for name, value in results.provenance.items()]
    return [*parts, "\n".join(["### Hashes", "", *hashes])]


def _nulls(score: Score) -> str:
    named = [
        f"{name.replace('_', ' ')} {_text(null.value, score.unit)}"
        for name, null in score.nulls.items()
    ]
    return ", ".join(named)


def _estimate(entry: Mapping[str, float | None], unit: str) -> str:
    ends = Estimate(value=entry["value"], low=entry.get("low"), high=entry.get("high"))
    if ends.low is None or ends.high is None:
        return _text(ends.value, unit)
    return f"{_text(ends.value, unit)} ({_text(ends.low, unit)} to {_text(ends.high, unit)})"


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.1f} %" if unit == "share" else f"{value:.4g}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines
    )
