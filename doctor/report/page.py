"""The page of a run: one file with every number beside what knowing nothing would score."""

from pathlib import Path

from cinelex.doctor.charts import short
from cinelex.doctor.report.charts import course_charts, held_out_charts, loss_charts
from cinelex.doctor.report.examples import caption_examples, pictures, search_examples
from cinelex.doctor.report.findings import balance_groups, reading, shown_findings
from cinelex.doctor.report.reviewer import reviewer_tables, write_reviewer
from cinelex.doctor.report.sight import sight_groups, without_sight
from cinelex.doctor.report.tables import score_table, tiles
from cinelex.doctor.run_files import read_run
from cinelex.doctor.templates import write_page
from cinelex.projects.interface.results import Results


def write_report(run_folder: Path) -> Path:
    """Write ``report.html``, and ``reviewer.md`` beside it, into a run's folder; return the page.

    The page asks nothing of any other file or address, runs no script, and escapes all that comes
    from the data. It shows report texts: it belongs to the run's declared outputs.

    Raises:
        UserError: The folder does not exist, or a file in it is broken.
    """
    run = read_run(run_folder)
    count = run.config.evaluation.report_examples if run.config else 6
    best, worst = search_examples(run, count=count)
    results = run.results or Results(groups=[])
    asked = reviewer_tables(run)
    write_reviewer(run_folder, asked)
    return write_page(
        run_folder / "report.html",
        "report/page.html.jinja",
        name=run.config.name if run.config else run_folder.resolve().name,
        folder=run_folder.as_posix(),
        run=run,
        findings=shown_findings(run),
        reading=reading(run),
        charts=[*loss_charts(run), *held_out_charts(run), *course_charts(run)],
        gradients=[score_table(group) for group in balance_groups(run)],
        tiles=tiles(results),
        groups=[
            score_table(group)
            for group in (*map(without_sight, results.groups), *sight_groups(results))
        ],
        tables=results.tables,
        reviewer=asked,
        pictures=pictures(run, results),
        best=best,
        worst=worst,
        gallery=results.counts.get("retrieval.gallery.study_to_report"),
        captions=caption_examples(run),
        provenance=results.provenance,
        short=short,
    )
