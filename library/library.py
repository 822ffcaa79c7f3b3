"""A library that was indexed, opened for searching."""

from dataclasses import dataclass
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.library.catalog import Catalog
from cinelex.library.vectors import Vectors
from cinelex.trained.run import TrainedRun

FOLDER, ABOUT, CATALOG = "library", "library.json", "studies.sqlite"
"""Of a run; and in it what model it is of, and what is known of the studies."""


@dataclass(frozen=True)
class Library:
    """The studies of a run's library, opened for searching."""

    folder: Path
    run: TrainedRun
    catalog: Catalog
    vectors: Vectors

    @classmethod
    def open(cls, folder: Path, run: TrainedRun) -> "Library":
        """Open what was indexed, and compare each row with what the catalogue says of it.

        Raises:
            UserError: Nothing was, or it is damaged.
        """
        if not (folder / ABOUT).exists():
            raise UserError(f"{folder}: no library yet; run cinelex index first")
        catalog = Catalog(folder / CATALOG)
        found = Vectors(folder, dim=run.model.dim, studies=len(catalog), videos=catalog.videos)
        found.check(catalog.digests())
        return cls(folder, run, catalog, found)
