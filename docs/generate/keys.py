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
    """Return one table for the run itself, one for each section, and one for a schedule."""
    schema = RunConfig.model_json_schema()
    defs = schema["$defs"]
    return "".join([*_sections(schema, defs, ""), *_section("A schedule", defs["Schedule"], "")])


def _sections(section: Schema, defs: Schema, above: str) -> Iterator[str]:
    """Yield the section and all sections in it."""
    yield from _section(f"`{above[:-1]}`" if above else "The run", section, above)
    for name, field in section["properties"].items():
        several = field.get("anyOf", [])
        may_be_null = several[0] if len(several) == 2 and {"type": "null"} in several else field
        if _holds_keys(may_be_null):
            kind = may_be_null["$ref"].rpartition("/")[2]
            yield from _sections(defs[kind], defs, f"{above}{name}.")


def _section(title: str, section: Schema, above: str) -> Iterator[str]:
    """Yield the table of the keys that are no sections of their own."""
    yield f"\n## {title}\n\n{section['description']}\n\n"
    rows = [
        _row(f"{above}{name}", field, name in section.get("required", ()))
        for name, field in section["properties"].items()
        if not _holds_keys(field)
    ]
    yield table(["key", "value", "default", "meaning"], rows)


def _holds_keys(field: Schema) -> bool:
    return "$ref" in field and field["$ref"].rpartition("/")[2] not in PARTS


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
            patterns = field.get("patternProperties", {}).values()
            return f"{_value(field.get('additionalProperties') or next(iter(patterns)))}, by name"
        case "string":
            return "path" if field.get("format") == "path" else "text"
        case "integer" | "number" as kind:
            bounds = [
                f"{sign}\N{NO-BREAK SPACE}{field[name]:g}"
                for name, sign in BOUNDS.items()
                if name in field and abs(field[name]) < HUGE
            ]
            return " ".join(["whole number" if kind == "integer" else "number", ", ".join(bounds)])
        case "boolean":
            return "`true` or `false`"
        case kind:
            return str(kind)
