"""What a reviewer asks of a run, answered from its files; what they do not say stays empty."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cinelex.core.files import write_whole
from cinelex.doctor.report.checklists import CLAIM, TRIPOD, Line
from cinelex.doctor.report.sight import SIGHT, margins
from cinelex.doctor.report.statements import Statements
from cinelex.doctor.report.tables import PERCENT, beyond, text_of
from cinelex.doctor.run_files import RunFiles
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Estimate, Results, Score

EMPTY = "– not answered"
FILE = "reviewer.md"
RIDGE = ("ridge_pixels", "ridge_features")
TEXT_ONLY = ("constant_normal", "shuffled", "text_only", "nearest_report", "blank_video")
NULLS = {
    **SIGHT,
    "ridge_pixels": "ridge from pixels",
    "ridge_features": "ridge from the model's own features",
    "constant_normal": "one normal report for all",
    "shuffled": "its own captions shuffled",
    "text_only": "training reports drawn at random",
    "nearest_report": "the nearest training report",
}
"""Nulls by their name in the results, in words."""
UNSEEN = tuple(name for name in SIGHT if name != "metadata")


def reviewer_tables(run: RunFiles) -> list[Table]:
    """Return the reviewer's questions, and the lines of TRIPOD+AI and CLAIM, with their answers."""
    results = run.results or Results(groups=[])
    said = Statements(run, results)
    questions = [
        {"question": question, "answer": answer(said, results) or f"{EMPTY}: {otherwise}"}
        for question, answer, otherwise in QUESTIONS
    ]
    answered = sum(not row["answer"].startswith(EMPTY) for row in questions)
    note = f"{answered} of {len(questions)} answered from the run's own files."
    return [
        Table(name="reviewer", title="What a reviewer asks", note=note, rows=questions),
        _checklist("TRIPOD+AI 2024", TRIPOD, said, "Collins et al. 2024, BMJ 385:e078378"),
        _checklist("CLAIM 2024", CLAIM, said, "Tejani et al. 2024, Radiology: AI 6(4):e240300"),
    ]


def write_reviewer(folder: Path, tables: Sequence[Table]) -> Path:
    """Write ``reviewer.md`` into a run's folder."""
    parts = ["# What a reviewer asks of this run\n"]
    for table in tables:
        parts += [f"## {table.title}\n", f"{table.note}\n"]
        heads = list(table.rows[0]) if table.rows else []
        parts += [_line(heads), _line(["---"] * len(heads))]
        parts += [_line([str(value) for value in row.values()]) for row in table.rows]
        parts.append("")
    path = folder / FILE
    write_whole(path, "\n".join(parts) + "\n")
    return path


def _checklist(title: str, lines: Sequence[Line], said: Statements, source: str) -> Table:
    rows = [
        {"item": line.item, "asks for": line.asks, "answer": said.of(line.key) or EMPTY}
        for line in lines
    ]
    filled = sum(row["answer"] != EMPTY for row in rows)
    note = (
        f"{filled} of {len(rows)} lines filled from run, card and config; the others are for the "
        f"authors. Lines in our words, after {source}."
    )
    return Table(name=title.split()[0].lower(), title=title, note=note, rows=rows)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def with_interval(estimate: Estimate, unit: str) -> str:
    """Return a number and its 95 % interval as text."""
    value = text_of(estimate.value, unit)
    if estimate.low is None or estimate.high is None:
        return value
    low = text_of(estimate.low, unit).removesuffix(PERCENT)
    return f"{value} [{low}, {text_of(estimate.high, unit)}]"


def _beside(names: Sequence[str]) -> Callable[[Statements, Results], str]:
    """Return what says which nulls each score is surely better than, and by how much."""

    def answer(_: Statements, results: Results) -> str:
        parts: dict[str, dict[bool, list[str]]] = {}
        for title, score, name, null in margins(results, names):
            assert null.margin is not None
            of_score = f"{title}, {_said(score)}"
            label = NULLS.get(name, name.replace("_", " "))
            parts.setdefault(of_score, {True: [], False: []})[beyond(score, null) is True].append(
                f"{label} {text_of(null.value, score.unit)} (difference "
                f"{with_interval(null.margin, score.unit)})"
            )
        return "; ".join(f"{score}, {_verdict(found)}" for score, found in parts.items())

    return answer


def _verdict(beside: Mapping[bool, Sequence[str]]) -> str:
    """Return nulls in a sentence, by whether a score is surely better than they are."""
    words = {True: "better than", False: "not surely better than"}
    return ", and ".join(
        f"{words[sure]} {', '.join(some)}" for sure, some in beside.items() if some
    )


def _scores(*endings: str) -> Callable[[Statements, Results], str]:
    """Return what lists the scores whose names end so."""

    def answer(_: Statements, results: Results) -> str:
        found: list[Score] = [
            score
            for score in results.scores()
            if score.name.endswith(endings) and score.value is not None
        ]
        return "; ".join(map(_said, found))

    return answer


def _said(score: Score) -> str:
    return f"{score.label}: {with_interval(score, score.unit)}"


def _calibrated(said: Statements, results: Results) -> str:
    """Return how far probabilities are what they say, and where acting on them pays."""
    rows = said.rows("decision_curve")
    curve = []
    if rows:
        at = ", ".join(f"{level:g}" for level in sorted({row["threshold"] for row in rows}))
        pays = sum(row["net_benefit"] > max(row["acting_on_all"], 0.0) for row in rows)
        curve = [
            f"decision curve at thresholds {at}: net benefit above acting on all and on nobody in "
            f"{pays} of {len(rows)} (reliability and decision curve are tables of the page)"
        ]
    return "; ".join(filter(None, [CALIBRATION(said, results), *curve]))


def _counterfactuals(_: Statements, results: Results) -> str:
    found = [score for score in results.scores() if score.name.startswith("counterfactuals.")]
    parts = [_said(one) for one in found if one.value is not None]
    return f"{'; '.join(parts)}; chance 50{PERCENT}" if parts else ""


def _probes(_: Statements, results: Results) -> str:
    found = [score for score in results.scores() if score.name.startswith("probing.")]
    return "; ".join(map(_said, found[:6]))


def _lines(said: Statements, _: Results) -> str:
    counts = [f"{name} {said.filled(lines)} of {len(lines)} lines" for name, lines in BOOKS.items()]
    return ", ".join(counts)


CALIBRATION = _scores(
    ".brier", ".calibration_error", ".calibration_slope", ".calibration_intercept"
)
BOOKS: Mapping[str, Sequence[Line]] = {"TRIPOD+AI 2024": TRIPOD, "CLAIM 2024": CLAIM}
QUESTIONS: Sequence[tuple[str, Callable[[Statements, Results], str], str]] = (
    ("Split by patient? by time? by site?", lambda said, _: said.of("split"), "evaluate the run"),
    ("Intervals over what?", lambda said, _: said.of("uncertainty"), "evaluate the run"),
    ("Is it the video?", _beside(UNSEEN), "evaluation.nulls leaves it out, or nothing is seen"),
    ("Is it the machine?", _beside(("metadata",)), "evaluation.nulls leaves it out"),
    ("Is it the text prior?", _beside(TEXT_ONLY), "no captions are written"),
    ("Is it better than a closed form?", _beside(RIDGE), "no texts are searched"),
    ("Does it tell opposites apart?", _counterfactuals, "no fact of the reports can be changed"),
    (
        "Subgroups?",
        lambda said, _: said.of("heterogeneity"),
        "no column of the manifest tells studies apart",
    ),
    ("Calibrated?", _calibrated, "the model gives no probabilities"),
    (
        "Measurements?",
        _scores(".mae", ".bias", ".limit_low", ".limit_high", ".within_10", ".sd_ratio", ".slope"),
        "the model measures nothing",
    ),
    ("Probes fair?", _probes, "run the probing project on this run"),
    ("External?", lambda said, _: said.of("external"), "evaluate a bundle at another site"),
    ("Reported by the book?", _lines, "see below"),
)
