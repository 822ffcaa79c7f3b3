"""Sets that are made once below a folder, in a subfolder named by all that decides their bytes."""

from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from cinelex.core.files import hash_json, write_json
from cinelex.core.folders import make_once

LATER: Final = {"later": True}
"""Of a setting that came when sets were made already: at its default it changes no file, and so the
sets that lie there stay theirs."""


def set_folder(name: str, settings: Any, folder: Path, *, version: int) -> Path:
    """Return where in ``folder`` the set with these settings lives, made or not."""
    deciding = {
        field.name: value
        for field, value in zip(fields(settings), asdict(settings).values(), strict=True)
        if not (field.metadata == LATER and value == field.default)
    }
    return folder / f"{name}-{hash_json({'format': version, **deciding})[:16]}"


def make_set(
    name: str, settings: Any, folder: Path, *, version: int, make: Callable[[Path], None]
) -> Path:
    """Make a set unless it is there, and return its own folder.

    A set appears whole or not at all; whoever asks for a set that another process is making waits.

    Args:
        name: What the names of such sets' folders begin with.
        settings: A dataclass of all that decides the set.
        folder: Where sets are kept.
        version: Goes up whenever the same settings give other files.
        make: Writes the set into the empty folder that it is given.
    """

    def whole(partial: Path) -> None:
        make(partial)
        write_json(partial / "settings.json", {"format": version, **asdict(settings)})

    return make_once(set_folder(name, settings, folder, version=version), whole)
