"""Single studies for the report page: best and worst searches, and captions with their facts."""

import base64
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from cinelex.core.errors import refusing
from cinelex.doctor.run_files import Row, RunFiles
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Results

_KINDS = (("png", re.compile(rb"\x89PNG\r\n\x1a\n")), ("webp", re.compile(rb"RIFF....WEBP", re.S)))
_MAX_BYTES = 3_000_000
_LARGE_BYTES = 250_000
"""A still picture above this is made smaller: a page has to stay below 3 MB."""
_MAX_SIDE = 1200
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
    """The study's frames, moving, as a data address; empty if there are none."""
    still: str
    """The first of them; empty where they do not move."""


class Span(NamedTuple):
    """A piece of a caption and what its facts are worth: right, wrong or neutral."""

    text: str
    verdict: str
    reference: str = ""
    """What the reference states in the place of a wrong percentage."""


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
    found = [(one, image_address(run.folder, str(one.path))) for one in results.pictures]
    return [(picture, image) for picture, image in found if image]


def image_address(folder: Path, name: str) -> str:
    """Return a PNG or WebP file as a ``data:`` address; empty if absent, outside or too big.

    Args:
        folder: what the file must lie in.
        name: its path relative to the folder, as some file of the run gives it.
    """
    content = _content(folder, name)
    kind = next((kind for kind, start in _KINDS if start.match(content)), None)
    if kind is None:
        return ""
    if kind == "png" and len(content) > _LARGE_BYTES:
        kind, content = "webp", _smaller(content)
    return _address(kind, content)


def still_address(folder: Path, name: str) -> str:
    """Return the first frame of a moving picture, for readers who want nothing to move."""
    content = _content(folder, name)
    return _address("webp", _smaller(content)) if content[8:12] == b"WEBP" else ""


def _content(folder: Path, name: str) -> bytes:
    path = (folder / name).resolve()
    inside = path.is_relative_to(folder.resolve()) and path.is_file()
    return path.read_bytes() if inside and path.stat().st_size <= _MAX_BYTES else b""


def _smaller(content: bytes) -> bytes:
    """Return a still picture, or the first frame of one that moves, as a small WebP."""
    with refusing("a picture of the run is damaged"), Image.open(io.BytesIO(content)) as picture:
        still = picture.convert("RGB")
    still.thumbnail((_MAX_SIDE, _MAX_SIDE))
    out = io.BytesIO()
    still.save(out, "WEBP", quality=75)
    return out.getvalue()


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _search(folder: Path, row: Row) -> SearchExample:
    report, frames = str(row.get("report", "")), str(row.get("frames", ""))
    return SearchExample(
        study_id=str(row.get("study_id", "")),
        rank=row["rank"],
        report=report,
        neighbours=[_neighbour(near, report) for near in row.get("nearest") or []],
        image=image_address(folder / "predictions", frames),
        still=still_address(folder / "predictions", frames),
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
    instead = str(span.get("reference", ""))
    return [Span(said, known, instead), Span(text[len(said) :], "neutral")]
