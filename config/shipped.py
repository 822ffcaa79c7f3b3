"""Which file a path means: the user's, that of a run, or one that came with the package."""

from pathlib import Path

from cinelex.core.errors import UserError

SHIPPED = Path(__file__).parent


def config_file(given: str | Path, *, beside: Path = Path()) -> Path:
    """Return the YAML file that a path means, from the folder ``beside`` on.

    A folder means the ``config.yaml`` of a run. ``config/clip/…`` is the shipped file where the
    user has none of that name, so that commands in the documents work without a clone.

    Raises:
        UserError: The folder is not that of a run.
    """
    path = beside / given
    if path.is_dir():
        if not (path / "config.yaml").is_file():
            raise UserError(f"{path}: no config.yaml there; name the folder of a run, or a file")
        return path / "config.yaml"
    shipped = SHIPPED.joinpath(*Path(given).parts[1:])
    if not path.exists() and Path(given).parts[:1] == ("config",) and shipped.is_file():
        return shipped
    return path
