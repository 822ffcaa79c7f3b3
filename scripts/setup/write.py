"""A config file with a reason behind each key."""

import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from cinelex.config.strict_yaml import plain_value
from cinelex.scripts.setup.advice import Choice


def config_text(choices: Sequence[Choice], title: str, notes: Sequence[str]) -> str:
    """Return the YAML of some keys, each with its reason, after a title; notes at the end."""
    tree: dict[str, Any] = {}
    for choice in choices:
        *sections, last = choice.key.split(".")
        place = tree
        for section in sections:
            place = place.setdefault(section, {})
        place[last] = choice
    lines = [f"# {title}", "# Any other key, with its unit: cinelex train --print_config", ""]
    lines += _lines(tree, "")
    return "\n".join([*lines, "", *(_comment(note) for note in notes)]).rstrip() + "\n"


def _comment(text: str) -> str:
    """Return a comment of as many lines as it takes."""
    return textwrap.fill(text, 98, initial_indent="# ", subsequent_indent="#   ")


def _lines(tree: dict[str, Any], indent: str) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, Choice):
            yield f"{indent}# {value.why}"
            yield f"{indent}{key}: {_plain(value.value)}"
        else:
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")


def _plain(value: Any) -> str:
    """Return a value as it stands behind a key."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_plain(one)}" for name, one in value.items()) + "}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    with suppress(ValueError):
        if plain_value(text) == value and re.fullmatch(r"[\w./ -]+", text):
            return text
    return json.dumps(value, ensure_ascii=False)
