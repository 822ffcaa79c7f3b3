"""The page of a notebook: its text, its code, what was printed, and its pictures."""

import json
from pathlib import Path
from typing import Any


def cells(notebook: Path) -> list[dict[str, Any]]:
    """Return the cells of a notebook, in order."""
    found: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return found


def source(cell: dict[str, Any]) -> str:
    """Return what a cell says."""
    return "".join(cell["source"])


def page(notebook: Path) -> str:
    """Return a notebook as Markdown; pictures are part of the page."""
    parts = []
    for cell in cells(notebook):
        if cell["cell_type"] == "markdown":
            parts.append(source(cell))
            continue
        parts.append(f"```python\n{source(cell)}\n```")
        parts += [_shown(output) for output in cell["outputs"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown(output: dict[str, Any]) -> str:
    """Return what a cell left behind; nothing for progress and warnings."""
    picture = output.get("data", {}).get("image/png")
    if picture is not None:
        return f"![What the cell above draws](data:image/png;base64,{''.join(picture).strip()})"
    if output["output_type"] == "stream" and output["name"] == "stdout":
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    return ""
