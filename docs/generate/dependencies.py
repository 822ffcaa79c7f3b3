"""The table of dependencies, from pyproject.toml, where the reason of each stands beside it."""

import re
from pathlib import Path

from docs.generate.markdown import table

PURPOSES = {
    "dependencies": "To run",
    "test": "To test",
    "docs": "To make the documents",
    "setup": "To set up",
}
"""Those that are not here are extras that somebody asks for."""


def reasons(pyproject: str) -> dict[str, list[tuple[str, str]]]:
    """Return, for every list of dependencies, each package and the comment behind it."""
    project = pyproject.split("[project]")[1].split("[tool.")[0]
    lists = re.findall(r"^([a-z]+) = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    line = re.compile(r'^ *"([A-Za-z0-9._-]+)[^"]*",?(?: +# (.+))?$', re.MULTILINE)
    return {name: line.findall(inside) for name, inside in lists}


def dependencies(_package: object) -> str:
    """Return one table for each purpose."""
    found = reasons(Path("pyproject.toml").read_text(encoding="utf-8"))
    order = [*(name for name in PURPOSES if name in found), *sorted(found.keys() - PURPOSES.keys())]
    return "".join(
        f"\n## {PURPOSES.get(name, f'Extra: {name}')}\n\n{table(['package', 'why'], found[name])}"
        for name in order
    )
