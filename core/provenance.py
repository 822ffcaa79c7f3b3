"""The hash that says which code made a result."""

import os
from pathlib import Path

from cinelex.core.files import hash_file, hash_json

PACKAGE = Path(__file__).parents[1]
"""The folder of this package; in a clone its rooms are links."""


def code_hash(package: Path = PACKAGE) -> str:
    """Return the SHA-256 of the names and contents of the package's own Python files.

    Whatever lies beside the package, caches and configs do not count; an uncommitted change does.
    """
    walked = os.walk(package, followlinks=True)
    files = (Path(folder, name) for folder, _, names in walked for name in names)
    sources = sorted(path for path in files if path.suffix == ".py")
    return hash_json([[path.relative_to(package).as_posix(), hash_file(path)] for path in sources])
