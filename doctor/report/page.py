"""The page of a run: one file with every number beside what knowing nothing would score."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.core.files import write_whole
from cinelex.doctor.report.charts import (
    course_charts,
    held_out_charts,
    loss_charts,
)
from cinelex.doctor.report.examples import (
    caption_examples,
    masked_image,
    search_examples,
)
from cinelex.doctor.report.findings import balance_rows, reading, shown_findings
from cinelex.doctor.report.names import (
    CAPTIONING,
    COSINES,
    DIRECTIONS,
    MASKED,
    RETRIEVAL,
)
from cinelex.doctor.report.results import result_pictures, result_tables
from cinelex.doctor.report.tables import (
    baseline_row,
    captioning_table,
    chance_row,
    cosine_table,
    loss_rows,
    representation_rows,
    retrieval_tables,
)
from cinelex.doctor.run_files import read_run
from cinelex.doctor.templates import Tile, environment


@dataclass(frozen=True)
class Rebuilt:
    """A masked-modelling error beside what predicting the mean costs and what noise leaves."""

    label: str
    value: str
    mean: str
    tubelets: str
    """The error of each hidden tubelet's own mean, which knows more than the model."""
    noise: str
    ratio: str
    clear: bool | None


def write_report(run_folder: Path) -> Path:
    """Write ``report.html`` into a run's folder and return its path.

    The page asks nothing of any other file or address, runs no script, and escapes all that comes
    from the data. It shows report texts: it belongs to the run's declared outputs.

    Raises:
        UserError: The folder does not exist, or a file in it is broken.
    """
    run = read_run(run_folder)
    count = run.config.evaluation.report_examples if run.config else 6
    best, worst = search_examples(run, count=count)
    results = run.results
    page = (
        environment()
        .get_template("report/page.html.jinja")
        .render(
            name=run.config.name if run.config else run_folder.resolve().name,
            folder=run_folder.as_posix(),
            run=run,
            findings=shown_findings(run),
            reading=reading(run),
            pulls=balance_rows(run),
            tiles=_tiles(results),
            losses=loss_charts(run),
            course=course_charts(run),
            held_out=held_out_charts(run),
            retrieval=retrieval_tables(results),
            cosines=cosine_table(results),
            captioning=captioning_table(results),
            final_losses=loss_rows(results),
            representation=representation_rows(results),
            rebuilt=_rebuilt(results),
            tables=result_tables(results),
            pictures=result_pictures(run),
            masked=masked_image(run),
            best=best,
            worst=worst,
            gallery=((results.get("retrieval") or {}).get("gallery") or {}).get("study_to_report"),
            captions=caption_examples(run),
            provenance=results.get("provenance") or {},
        )
    )
    path = run_folder / "report.html"
    write_whole(path, page)
    return path


def _tiles(results: Mapping[str, Any]) -> list[Tile]:
    retrieval = results.get("retrieval") or {}
    tiles = [
        _chance_tile(f"{RETRIEVAL['recall_at_1'].label}, {title.lower()}", "recall_at_1", entries)
        for direction, title in DIRECTIONS.items()
        if "recall_at_1" in (entries := retrieval.get(direction) or {})
    ]
    if "cosine_gap" in retrieval:
        tiles.append(_chance_tile("Own minus other report, cosine", "cosine_gap", retrieval))
    captioning = results.get("captioning") or {}
    if "lesion_f1_10pp" in captioning:
        tiles.append(_caption_tile("lesion_f1_10pp", captioning["lesion_f1_10pp"]))
    tiles += [
        Tile(
            "Masked pixels, squared error",
            row.value,
            f"the mean: {row.mean}",
            f"noise floor {row.noise}",
            f"{row.ratio} the mean's",
            row.clear,
        )
        for row in _rebuilt(results)[:1]
    ]
    return tiles


def _chance_tile(label: str, key: str, entries: Mapping[str, Any]) -> Tile:
    row = chance_row((RETRIEVAL | COSINES)[key], entries[key])
    verdict = {True: "above chance", False: "not above chance", None: "undefined"}[row.clear]
    if row.clear and row.times != "–":
        verdict = f"{row.times} chance"
    return Tile(
        label, row.value, f"chance {row.chance}", f"95 %: {row.interval}", verdict, row.clear
    )


def _caption_tile(key: str, entry: Mapping[str, Any]) -> Tile:
    baselines = entry.get("baselines") or {}
    row = baseline_row(CAPTIONING[key], entry, order=list(baselines))
    values = [base.get("value") for base in baselines.values() if base]
    best = max((value for value in values if value is not None), default=None)
    null = f"best baseline {CAPTIONING[key].text(best)}"
    return Tile(
        CAPTIONING[key].label, row.value, null, f"95 %: {row.interval}", row.verdict, row.clear
    )


def _rebuilt(results: Mapping[str, Any]) -> list[Rebuilt]:
    entries = results.get("masked_modeling") or {}
    return [
        _rebuilt_row(MASKED.get(key, key), entry)
        for key, entry in entries.items()
        if isinstance(entry, Mapping)
    ]


def _rebuilt_row(label: str, entry: Mapping[str, Any]) -> Rebuilt:
    value, mean = entry.get("value"), entry.get("predict_the_mean")
    ratio = entry.get("ratio")
    if ratio is None and value is not None and mean:
        ratio = value / mean
    clear = None if value is None or mean is None else value < mean
    return Rebuilt(
        label=label,
        value=_error(value),
        mean=_error(mean),
        tubelets=_error(entry.get("predict_each_tubelets_mean")),
        noise=_error(entry.get("noise_floor")),
        ratio="–" if ratio is None else f"{ratio:.2f} ×",
        clear=clear,
    )


def _error(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
