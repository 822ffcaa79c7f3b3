"""Where the templates of all pages are found, and how they are filled in."""

from functools import cache
from pathlib import Path
from typing import Any


@cache
def environment() -> Any:
    """Return jinja's environment over this folder; HTML is escaped, Markdown and text are not."""
    import jinja2  # here, because it takes a second

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(
            disabled_extensions=("md.jinja", "txt.jinja"), default=True, default_for_string=True
        ),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
