"""Single studies for the report page: best and worst searches, and captions with their facts."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cinelex.doctor.run_files import Row, RunFiles
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Results

_PNG = b"\x89PNG\r\n\x1a\n"
_MAX_BYTES = 3_000_000
_CAPTIONS = 8
_VERDICTS = ("right", "wrong", "missing", "neutral")


class Neighbour(NamedTuple):
    """A report near a study."""

    report: str
    score: str
    own: bool
    """Whether it is the study's own report."""


class SearchExample(NamedTuple):
    """One study, the rank of its own report, and what was found instead."""

    study_id: str
    rank: int
    report: str
    neighbours: Sequence[Neighbour]
    image: str
    """The study's frames as a data address; empty if there are none."""


class Span(NamedTuple):
    """A piece of a caption and what its facts are worth: right, wrong or neutral."""

    text: str
    verdict: str


class CaptionExample(NamedTuple):
    """A caption beside its reference."""

    study_id: str
    reference: str
    spans: Sequence[Span]
    missing: Sequence[str]
    """Facts of the reference that the caption leaves out."""


def search_examples(
    run: RunFiles, *, count: int
) -> tuple[list[SearchExample], list[SearchExample]]:
    """Return the studies whose own report stands first, and those where it stands last.

    By the rank of the truth, never by the highest similarity; among equal ranks by study id. No
    study is in both lists.
    """
    rows = [row for row in run.retrieval if isinstance(row.get("rank"), int)]
    rows.sort(key=lambda row: (row["rank"], str(row.get("study_id"))))
    count = min(count, len(rows) // 2) if len(rows) > 1 else len(rows)
    best, worst = rows[:count], rows[count:][::-1][:count]
    return [_search(run.folder, row) for row in best], [_search(run.folder, row) for row in worst]


def caption_examples(run: RunFiles) -> list[CaptionExample]:
    """Return the first captions of the file, as they come."""
    return [_caption(row) for row in run.captions[:_CAPTIONS]]


def pictures(run: RunFiles, results: Results) -> list[tuple[Picture, str]]:
    """Return the pictures that can be read and lie in the run's folder, as ``data:`` addresses."""
    found = [(one, png_address(run.folder, str(one.path))) for one in results.pictures]
    return [(picture, image) for picture, image in found if image]


def png_address(folder: Path, name: str) -> str:
    """Return a PNG file as a ``data:`` address; empty if it is absent, outside, too big or no PNG.

    Args:
        folder: what the file must lie in.
        name: its path relative to the folder, as some file of the run gives it.
    """
    path = (folder / name).resolve()
    inside = path.is_relative_to(folder.resolve()) and path.is_file()
    if not inside or path.stat().st_size > _MAX_BYTES:
        return ""
    content = path.read_bytes()
    if not content.startswith(_PNG):
        return ""
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _search(folder: Path, row: Row) -> SearchExample:
    report, frames = str(row.get("report", "")), row.get("frames")
    return SearchExample(
        study_id=str(row.get("study_id", "")),
        rank=row["rank"],
        report=report,
        neighbours=[_neighbour(near, report) for near in row.get("nearest") or []],
        image=png_address(folder / "predictions", frames) if isinstance(frames, str) else "",
    )


def _neighbour(near: Mapping[str, Any], report: str) -> Neighbour:
    score, text = near.get("score"), str(near.get("report", ""))
    return Neighbour(text, "–" if score is None else f"{score:.3f}", text == report)


def _caption(row: Row) -> CaptionExample:
    spans = [piece for span in row.get("spans") or [] for piece in _pieces(span)]
    return CaptionExample(
        study_id=str(row.get("study_id", "")),
        reference=str(row.get("reference", "")),
        spans=[span for span in spans if span.verdict != "missing"]
        or [Span(str(row.get("caption", "")), "neutral")],
        missing=[span.text for span in spans if span.verdict == "missing"],
    )


def _pieces(span: Mapping[str, Any]) -> list[Span]:
    """Return a piece of text and, apart from it, the space that follows, which has no colour."""
    text, verdict = str(span.get("text", "")), str(span.get("verdict"))
    said = text.rstrip()
    known = verdict if verdict in _VERDICTS else "neutral"
    return [Span(said, known), Span(text[len(said) :], "neutral")]
