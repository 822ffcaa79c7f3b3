"""One page a module, and one a folder that lists its modules: the tree of the house."""

from collections.abc import Iterator
from typing import Any

import griffe

from docs.generate.markdown import link, sentence, table

LATER = "---\nsearch: {boost: 0.5}\n---\n"
"""A search finds pages that explain before pages of modules."""


def modules(package: griffe.Object) -> list[griffe.Object]:
    """Return the modules of a package that say what they are, in the order of their names."""
    inside = [one for one in package.members.values() if isinstance(one, griffe.Module)]
    return sorted((one for one in inside if one.docstring or modules(one)), key=lambda m: m.name)


def api_pages(package: griffe.Object, above: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every page below ``above``."""
    inside = modules(package)
    if not inside:
        yield f"{above}.md", f"{LATER}::: {package.path}\n"
        return
    rows = [[link(one.path, one.name), sentence(one)] for one in inside]
    listed = table(["module", "what it is"], rows)
    yield f"{above}/index.md", f"{LATER}::: {package.path}\n\n## Modules\n\n{listed}"
    for one in inside:
        yield from api_pages(one, f"{above}/{one.name}")


def api_nav(package: griffe.Object, above: str) -> list[Any]:
    """Return the navigation of these pages, folder by folder."""
    nav: list[Any] = [f"{above}/index.md"]
    for one in modules(package):
        path = f"{above}/{one.name}"
        nav.append({one.name: api_nav(one, path) if modules(one) else f"{path}.md"})
    return nav
