"""Where everything of a data set lies, and who may write it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from cinelex.core.errors import UserError
from cinelex.core.locks import sole_user
from cinelex.data.dicom.pseudonyms import FINGERPRINT_FILE
from cinelex.data.prepare.journal import Journal
from cinelex.data.prepare.walk import Share

FILES = pa.schema(
    [
        ("root", pa.int32()),
        ("path", pa.binary()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("kind", pa.string()),
        ("reason", pa.string()),
        ("modality", pa.string()),
        ("instance", pa.string()),
        ("record", pa.string()),
    ]
)
CONTENTS = pa.schema(
    [
        ("root", pa.int32()),
        ("path", pa.binary()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("content", pa.string()),
    ]
)
CINES = pa.schema(
    [
        ("content", pa.string()),
        ("format", pa.int32()),
        ("stored", pa.bool_()),
        ("reason", pa.string()),
        ("key", pa.string()),
        ("frames", pa.int32()),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("channels", pa.int32()),
        ("times_ms", pa.list_(pa.float64())),
        ("pixels", pa.string()),
        ("likeness", pa.binary()),
        ("confidence", pa.float64()),
        ("source", pa.string()),
        ("doubt", pa.string()),
        ("doppler", pa.bool_()),
        ("preview", pa.binary()),
    ]
)


@dataclass(frozen=True)
class Places:
    """The files and folders of one data set."""

    out: Path

    @property
    def private(self) -> Path:
        """What only the hospital may have; nobody else can open the folder."""
        return self.out / "private"

    @property
    def store(self) -> Path:
        """The frames."""
        return self.out / "store"

    @property
    def files(self) -> Journal:
        """What each file is, by its header."""
        return Journal(self.private / "files", FILES, ("root", "path"))

    @property
    def contents(self) -> Journal:
        """The content of the files that were read whole."""
        return Journal(self.private / "contents", CONTENTS, ("root", "path"))

    @property
    def cines(self) -> Journal:
        """What became of each content that was decoded."""
        return Journal(self.private / "cines", CINES, ("content",))


def check_folders(dicom: Path, out: Path) -> None:
    """Refuse folders that are not there, or that lie in one another.

    Raises:
        UserError: Says which, and what to do.
    """
    if not dicom.is_dir():
        raise UserError("--dicom: no such folder; give the folder of the export")
    source, target = (Path(os.path.realpath(folder)) for folder in (dicom, out))
    if target.is_relative_to(source):
        raise UserError(
            "--out lies in the folder of --dicom, which is only read; give a folder elsewhere"
        )
    if source.is_relative_to(target):
        raise UserError("--dicom lies in the folder of --out; give a folder elsewhere")
    if out.exists() and not out.is_dir():
        raise UserError("--out is a file; give a folder")


def open_places(out: Path) -> Places:
    """Return the places of a data set, the private folder closed to others.

    Raises:
        UserError: The folder holds something else.
    """
    places = Places(out)
    known = places.private.is_dir() or (out / FINGERPRINT_FILE).exists()
    if out.is_dir() and any(out.iterdir()) and not known:
        raise UserError("--out holds something else than a data set; give an empty folder")
    places.private.mkdir(mode=0o700, parents=True, exist_ok=True)
    places.private.chmod(0o700)
    return places


@contextmanager
def held(places: Places, share: Share) -> Iterator[None]:
    """Hold a data set as a whole, or one share of it beside others who have other shares.

    Raises:
        UserError: Somebody else holds it.
    """
    remedy = "wait for it, or stop it"
    parts = places.private / "parts"
    if share.of > 1:
        with (
            sole_user(places.private, shared=True, remedy=remedy),
            sole_user(parts / str(share), remedy=remedy),
        ):
            yield
        return
    with sole_user(places.private, remedy=remedy):
        yield
