"""Tables, headings and first sentences in Markdown."""

from collections.abc import Iterable, Sequence

import griffe


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a line break in a cell becomes a space."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |\n" for line in lines)


def code(text: object) -> str:
    """Return text as code, whatever characters it has."""
    return f"`{text}`" if str(text) else ""


def link(path: str, title: str | None = None) -> str:
    """Return a link to the page of a Python object."""
    return f"[`{title or path.rpartition('.')[2]}`][{path}]"


def paragraphs(thing: griffe.Object) -> str:
    """Return the text of a docstring without its sections (Args, Raises …)."""
    if thing.docstring is None:
        return ""
    sections = thing.docstring.parse("google")
    return "\n\n".join(
        str(part.value) for part in sections if part.kind is griffe.DocstringSectionKind.text
    )


def sentence(thing: griffe.Object) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join(paragraphs(thing).partition("\n\n")[0].split())


def options_table(entry: griffe.Object) -> str:
    """Return the optional arguments of a class or function, each with default and meaning."""
    told = {**_attributes(entry), **_arguments(entry)}
    rows = [
        [
            code(parameter.name),
            code(_choices(parameter.annotation, entry)),
            code(parameter.default),
            told.get(parameter.name, ""),
        ]
        for parameter in _parameters(entry)
        if parameter.default is not None
    ]
    return table(["option", "type", "default", "meaning"], rows) if rows else ""


def _choices(annotation: object, entry: griffe.Object | griffe.Alias) -> str:
    """Return a type as it is written, and a name that stands for some choices as these."""
    if isinstance(annotation, griffe.ExprName):
        try:
            named = entry.modules_collection[annotation.canonical_path]
        except KeyError:  # a type of Python or of another library
            return str(annotation)
        if named.is_attribute and str(named.value).startswith("Literal["):
            return str(named.value)
    return str(annotation or "")


def _parameters(entry: griffe.Object) -> Iterable[griffe.Parameter]:
    return entry.parameters if isinstance(entry, griffe.Class | griffe.Function) else ()


def _attributes(entry: griffe.Object) -> dict[str, str]:
    """Return what stands below the fields of a dataclass."""
    if not isinstance(entry, griffe.Class):
        return {}
    members = entry.all_members.items()
    return {name: sentence(one) for name, one in members if isinstance(one, griffe.Object)}


def _arguments(entry: griffe.Object) -> dict[str, str]:
    """Return the ``Args`` of a function or of a constructor."""
    maker = entry.all_members.get("__init__") if isinstance(entry, griffe.Class) else entry
    if maker is None or maker.docstring is None:
        return {}
    sections = maker.docstring.parse("google")
    told = [part for part in sections if part.kind is griffe.DocstringSectionKind.parameters]
    return {argument.name: argument.description for part in told for argument in part.value}
