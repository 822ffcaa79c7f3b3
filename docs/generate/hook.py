"""Reference pages from the code, whenever the site is built: ``python -m mkdocs build --strict``.

A page under ``docs/`` says ``<!-- made: keys -->`` where a table of `MAKERS` has to stand.
"""

import re
from collections.abc import Callable
from pathlib import Path

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.generate.api import api_nav, api_pages
from docs.generate.commands import commands, exit_codes, run_modes
from docs.generate.dependencies import dependencies
from docs.generate.keys import keys
from docs.generate.notebook import page as page_of_notebook
from docs.generate.parts import losses, metrics, models, projects
from docs.generate.rules import rules

API = "reference/api"
NOTEBOOK = Path("start/first-hour.ipynb")
MAKERS: dict[str, Callable[[griffe.Object], str]] = {
    "commands": commands,
    "dependencies": dependencies,
    "exit codes": exit_codes,
    "keys": keys,
    "losses": losses,
    "metrics": metrics,
    "models": models,
    "projects": projects,
    "rules": rules,
    "run modes": run_modes,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Read the package, and put the pages of its modules where the navigation says ``api``."""
    package = griffe.load("cinelex", search_paths=["."], docstring_parser="google")
    assert isinstance(package, griffe.Module)
    config.extra["package"] = package
    for part in config.nav or ():
        for entry in part.get("Reference", ()):
            if isinstance(entry, dict) and entry.get("API") == "api":
                entry["API"] = api_nav(package, API)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of all modules, and of the notebook."""
    for path, text in api_pages(config.extra["package"], API):
        files.append(File.generated(config, path, content=text))
    notebook = Path(config.docs_dir) / NOTEBOOK
    content = page_of_notebook(notebook)
    files.append(File.generated(config, f"{NOTEBOOK.with_suffix('.md')}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put tables where a page asks for them."""
    package = config.extra["package"]
    return re.sub("<!-- made: (.+?) -->", lambda mark: MAKERS[mark[1]](package), markdown)
