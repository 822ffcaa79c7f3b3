"""All keys of a config, from the schema that reads it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import griffe

from cinelex.config.schema import RunConfig
from docs.generate.markdown import code, table

Schema = Mapping[str, Any]
PARTS = ("Part", "ContrastiveConfig")
"""Sections that are an entry of a table, by its name, and its options."""
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
HUGE = 2**53
"""The bound of whole numbers that is only there because JSON has one."""


def keys(_package: griffe.Object) -> str:
    """Return one table for the run itself, and one for each section."""
    schema = RunConfig.model_json_schema()
    return "".join(_sections(schema, schema["$defs"], ""))


def _sections(section: Schema, defs: Schema, above: str) -> Iterator[str]:
    """Yield the section and all sections in it."""
    rows, inner = [], []
    for name, field in section["properties"].items():
        kind = str(field.get("$ref", "")).rpartition("/")[2]
        if kind and kind not in PARTS:
            inner.append((f"{above}{name}", defs[kind]))
        else:
            rows.append(_row(f"{above}{name}", field, name in section.get("required", ())))
    heading = f"`{above[:-1]}`" if above else "The run"
    yield f"\n## {heading}\n\n{section['description']}\n\n"
    yield table(["key", "value", "default", "meaning"], rows)
    for path, below in inner:
        yield from _sections(below, defs, f"{path}.")


def _row(path: str, field: Schema, required: bool) -> list[str]:
    default = "**required**" if required else code(_default(field.get("default")))
    return [code(path), _value(field), default, str(field.get("description", ""))]


def _default(value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"name", "options"} and not value["options"]:
        return str(value["name"])
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(field: Schema) -> str:
    """Say what a value may be."""
    several = field.get("anyOf") or field.get("oneOf")
    if several:
        return " or ".join(_value(one) for one in several)
    if "$ref" in field:
        kind = field["$ref"].rpartition("/")[2]
        return "`name` and `options`" if kind in PARTS else kind.lower()
    if "enum" in field:
        return ", ".join(code(_default(choice)) for choice in field["enum"])
    return _plain(field)


def _plain(field: Schema) -> str:
    match field.get("type"):
        case "array" if "prefixItems" in field:
            return f"[{', '.join(_value(one) for one in field['prefixItems'])}]"
        case "array":
            return f"list of {_value(field['items'])}"
        case "object":
            names = ", ".join(code(name) for name in field.get("propertyNames", {}).get("enum", ()))
            return f"{_value(field['additionalProperties'])}, for each of {names}"
        case "string":
            return "path" if field.get("format") == "path" else "text"
        case "integer" | "number" as kind:
            bounds = [
                f"{sign} {field[name]:g}"
                for name, sign in BOUNDS.items()
                if name in field and abs(field[name]) < HUGE
            ]
            return " ".join(["whole number" if kind == "integer" else "number", ", ".join(bounds)])
        case "boolean":
            return "`true` or `false`"
        case kind:
            return str(kind)
