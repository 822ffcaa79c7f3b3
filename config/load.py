"""From a YAML file and overrides to a checked config, and back."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cinelex.config.nearest import expected, nearest_key, valid_keys
from cinelex.config.schema import LatentConfig, ModelConfig, RunConfig
from cinelex.config.shipped import config_file
from cinelex.config.strict_yaml import Document, Keys, dump_yaml, parse_yaml, plain_value, read_yaml
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json

COMMAND_LINE = "command line"
Options = TypeVar("Options", bound=BaseModel)
ALTERNATIVES = ("number", "schedule", "float", "int")
"""Names that schemas give to the forms of a value, and that no key has."""


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Return the config in a YAML file, with what the overrides change.

    ``base: other.yaml`` in a file, relative to it, means that other file with this one's keys on
    top, section by section. A part whose ``name`` changes starts with no options.

    Args:
        path: The YAML file.
        overrides: ``key.path=value`` each; the value is read as YAML.

    Raises:
        UserError: One line that names the file and line, the key, what was expected and found.
    """
    sections = {"model": ModelConfig(), "latent": LatentConfig()}
    parts = Document({key: part.model_dump(mode="json") for key, part in sections.items()}, {})
    written = merge(read_chain(Path(path)), read_overrides(overrides))
    document = merge(parts, written)  # so that options alone belong to the default part
    try:
        return RunConfig.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        raise UserError(explain(error, document, str(path))) from None


def load_options(model: type[Options], arguments: Sequence[str]) -> Options:
    """Return the options of a command that has no config file, by ``key.path=value`` each.

    Raises:
        UserError: One line that names the key, what was expected and found.
    """
    document = read_overrides(arguments)
    try:
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        raise UserError(explain(error, document, COMMAND_LINE, model)) from None


def read_chain(path: Path, followers: tuple[Path, ...] = ()) -> Document:
    """Return a file merged over its base, and that over its own.

    Raises:
        UserError: A file cannot be read, or the bases go in a circle.
    """
    here = Path(os.path.realpath(path))  # goes round no loop of links, as resolve() does not
    if here in followers:
        circle = " -> ".join(step.name for step in (*followers, here))
        raise UserError(f"{path}: base goes in a circle: {circle}")
    document = read_yaml(path)
    if "base" not in document.data:
        return document
    own = {key: value for key, value in document.data.items() if key != "base"}
    base = document.data["base"]
    if not isinstance(base, str):
        raise UserError(f"{document.origins['base',]}: base must be the path of a YAML file")
    below = read_chain(config_file(base, beside=path.parent), (*followers, here))
    return merge(below, Document(own, document.origins))


def read_overrides(overrides: Sequence[str]) -> Document:
    """Return what ``key.path=value`` arguments say.

    Raises:
        UserError: An argument is not of that form, or two set the same key.
    """
    data: dict[str, Any] = {}
    origins: dict[Keys, str] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        keys = tuple(key.split("."))
        if key == "base":
            raise UserError(f"{COMMAND_LINE}: base belongs in a file; start from that file instead")
        if not equals or not all(keys):
            raise UserError(f"{COMMAND_LINE}: expected key.path=value, got {override!r}")
        section = data
        for name in keys[:-1]:
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                raise UserError(f"{COMMAND_LINE}: {key} is set below a key that has a value")
        if keys[-1] in section:
            raise UserError(f"{COMMAND_LINE}: {key} is set twice")
        section[keys[-1]] = _override_value(key, text)
        origins.update({keys[:end]: COMMAND_LINE for end in range(1, len(keys) + 1)})
    return Document(data, origins)


def _override_value(key: str, text: str) -> Any:
    """Read brackets and quotes as YAML, and anything else as one plain word."""
    if text[:1] in ("[", "{", "'", '"'):
        return parse_yaml(text, source=f"{COMMAND_LINE}: {key}").data
    try:
        return plain_value(text.strip(" "))
    except ValueError as error:
        raise UserError(f"{COMMAND_LINE}: {key}: {error}") from None


def merge(below: Document, above: Document) -> Document:
    """Lay ``above`` over ``below``, section by section."""
    return Document(_merge(below.data, above.data), {**below.origins, **above.origins})


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    if "name" in below and "options" in below and above.get("name", below["name"]) != below["name"]:
        del merged["options"]  # they belong to the part of the other name
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def explain(
    error: ValidationError, document: Document, path: str, model: type[BaseModel] = RunConfig
) -> str:
    """Return the first problem as one line, unknown keys before all others.

    Args:
        error: Why a document is not valid.
        document: What was read.
        path: Where from.
        model: What it should be.
    """
    problems = error.errors(include_url=False, include_context=True)
    first = min(problems, key=lambda problem: problem["type"] != "extra_forbidden")
    keys, key = _place(first, document.data)
    known = [keys[:end] for end in range(len(keys), 0, -1) if keys[:end] in document.origins]
    where = document.origins[known[0]] if known else path
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {_problem(first, key, model)}{more}"


def _problem(problem: ErrorDetails, key: str, model: type[BaseModel]) -> str:
    """Say what is wrong with ``key``."""
    kind, message = problem["type"], problem["msg"]
    if kind == "extra_forbidden":
        near = nearest_key(key, valid_keys(model))
        section = key.rpartition(".")[0]
        there = [other for other in valid_keys(model) if other.rpartition(".")[0] == section]
        hint = f"did you mean {near}?" if near else f"there are {', '.join(there)}"
        return f"unknown key {key!r}; {hint}"
    if kind == "missing":
        return f"{key} is missing; add it to the file" + f" or as {key}=value" * (
            model is RunConfig
        )
    if kind == "value_error":
        text = message.removeprefix("Value error, ")
        return f"{key}: {text}" if key else text
    found = json.dumps(problem["input"], ensure_ascii=False, default=str)
    found = found if len(found) <= 60 else found[:57] + "..."
    return f"{key}: {expected(problem, key, model)}, got {found}"


def _place(problem: ErrorDetails, data: Any) -> tuple[Keys, str]:
    """Return where a problem is, without the names that the schema gives to alternatives."""
    path: list[str] = []
    for position, part in enumerate(problem["loc"]):
        last = position == len(problem["loc"]) - 1
        inside = isinstance(data, dict) and part in data
        inside = inside or (isinstance(data, list) and isinstance(part, int) and part < len(data))
        if inside:
            data = data[part]
        elif part in ALTERNATIVES and not (last and problem["type"] == "missing"):
            continue
        path.append(str(part))
    return tuple(path), ".".join(path)


def with_keys_of(own: RunConfig, other: RunConfig, keys: Iterable[str]) -> RunConfig:
    """Return ``own`` with some keys or sections as ``other`` has them.

    A part whose name is taken over has the other's options too.

    Raises:
        UserError: The two do not go together.
    """
    data, source = own.model_dump(mode="json"), other.model_dump(mode="json")
    for key in keys:
        parts = key.split(".")
        here, there = data, source
        for name in parts[:-1]:
            if not isinstance(here.get(name), dict) or not isinstance(there.get(name), dict):
                break
            if parts[-1] == "name" and "options" in there[name] and name == parts[-2]:
                break
            here, there = here[name], there[name]
        else:
            name = parts[-1]
        if name in there:
            here[name] = there[name]
        else:
            here.pop(name, None)
    try:
        return RunConfig.model_validate_json(json.dumps(data))
    except ValidationError as error:
        raise UserError(explain(error, Document(data, {}), COMMAND_LINE)) from None


def dump_config(config: RunConfig) -> str:
    """Return YAML that ``load_config`` reads back as an equal config."""
    return dump_yaml(config.model_dump(mode="json"))


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a config file, for editors; a file may leave out any key."""
    schema = _without_required(RunConfig.model_json_schema())
    base = {"type": "string", "description": "Another config file that this one changes."}
    return {**schema, "properties": {"base": base, **schema["properties"]}}


def _without_required(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _without_required(value)
            for key, value in schema.items()
            if not (key == "required" and isinstance(value, list))
        }
    return [_without_required(item) for item in schema] if isinstance(schema, list) else schema


def config_hash(config: RunConfig) -> str:
    """Return the SHA-256 of every value of the config, in hexadecimal."""
    return hash_json(config.model_dump(mode="json"))
