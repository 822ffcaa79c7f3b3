"""What a folder holds: a table, videos with texts beside them, images, or DICOM files."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cinelex.core.csv_text import csv_text
from cinelex.core.errors import UserError
from cinelex.data.video.sniff import DICOM, head_of
from cinelex.scripts.setup.columns import IMAGES, VIDEOS

TABLES = frozenset([".csv", ".tsv", ".xlsx", ".parquet", ".pq", ".jsonl", ".json", ".gz"])
MAX_FILES = 1_000_000
MAX_SNIFFED = 200
"""Files without a usual ending whose first bytes are read."""
NAMES = ("manifest", "studies", "metadata", "data", "reports")
"""What a table of studies is called, likeliest first."""


@dataclass
class Inside:
    """The files below a folder, by kind."""

    root: Path
    tables: list[Path] = field(default_factory=list)
    media: list[Path] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)
    dicom: int = 0
    others: Counter[str] = field(default_factory=Counter)
    """By ending."""

    def table(self) -> Path | None:
        """Return the table to read: the only one, or the one of the likeliest name."""
        top = [path for path in self.tables if path.parent == self.root] or self.tables
        named = [path for name in NAMES for path in top if path.name.lower().startswith(name)]
        return named[0] if named else top[0] if len(top) == 1 else None


def look_inside(root: Path) -> Inside:
    """Sort the files below a folder.

    Raises:
        UserError: There are more than anyone keeps in one folder of studies.
    """
    inside, sniffed = Inside(root), 0
    for count, path in enumerate(sorted(item for item in root.rglob("*") if item.is_file())):
        if count >= MAX_FILES:
            raise UserError(f"{root}: more than {MAX_FILES:,} files; name a folder further down")
        end = path.suffix.lower()
        if end == ".dcm" or (end.lstrip(".").isdigit() or not end) and sniffed < MAX_SNIFFED:
            sniffed += 1
            inside.dicom += end == ".dcm" or DICOM.match(head_of(path)) is not None
        elif end in TABLES:
            inside.tables.append(path)
        elif end == ".txt":
            inside.texts.append(path)
        elif end in VIDEOS | IMAGES:
            inside.media.append(path)
        else:
            inside.others[end] += 1
    return inside


def manifest_of(inside: Inside) -> str:
    """Return a manifest, as CSV, of media whose texts lie beside them.

    ``a.txt`` beside ``a.mp4`` is the report of that file; the only text in a folder is the report
    of all files in it, which are one study.

    Raises:
        UserError: Some file has no text, so that nobody can know what belongs together.
    """
    texts = {path.with_suffix(""): path for path in inside.texts}
    alone = Counter(path.parent for path in inside.texts)
    single = {path.parent: path for path in inside.texts if alone[path.parent] == 1}
    rows, without = [("study_id", "video_path", "report")], 0
    for path in inside.media:
        own, shared = texts.get(path.with_suffix("")), single.get(path.parent)
        text = own or shared
        if text is None:
            without += 1
            continue
        study = path.with_suffix("") if own else path.parent
        name = study.relative_to(inside.root).as_posix()
        report = " ".join(text.read_text(encoding="utf-8", errors="replace").split())
        rows.append((name, path.relative_to(inside.root).as_posix(), report))
    if without:
        raise UserError(
            f"{inside.root}: {without} of {len(inside.media)} files have no text beside them; "
            "write a table with study_id, video_path and report, or a .txt beside each"
        )
    return csv_text(rows)
