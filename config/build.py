"""From the name and options of a part to the object."""

import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from cinelex.config.nearest import hint, nearest
from cinelex.config.strict import Part
from cinelex.core.errors import UserError, about, refusing

T = TypeVar("T")
MAX_DEPTH = 1000
"""Blocks of a part; building more takes minutes, and training them is not to be waited for."""
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


def build(table: Mapping[str, Callable[..., T]], part: Part, **context: Any) -> T:
    """Call the entry of ``table`` that ``part`` names, with its options.

    The entry's signature is the schema of its options, names and types; there is no second one.

    Args:
        table: Names to classes or functions.
        part: Name and options, as in the config.
        context: What the project decides (widths, sizes); an entry gets what it has a name for,
            and options must not contradict it.

    Raises:
        UserError: No such entry, an option that it does not take, one of a wrong type, a missing
            one, or a combination that the entry refuses.
    """
    parameters = _parameters(table, part)
    given = {name: value for name, value in context.items() if name in parameters}
    for name in part.options:
        if name in given:
            raise UserError(f"{part.name}: option {name!r} follows from the rest of the config")
    options = _check(part, {n: item for n, item in parameters.items() if n not in given})
    said = f"{part.name}: cannot be built with these options and sizes"
    with refusing(said), warnings.catch_warnings():
        # a size that is 0 is only warned of, and whoever reads the module fails later
        warnings.filterwarnings("error", "Initializing zero-element tensors")
        try:
            return table[part.name](**given, **options)
        except ValueError as error:
            if isinstance(error, UserError):
                raise
            why = str(error).strip().partition("\n")[0]
            raise UserError(f"{part.name}: {why}") from error


def build_at(key: str, table: Mapping[str, Callable[..., T]], part: Part, **context: Any) -> T:
    """Return what `build` does; what it refuses begins with the part's key in the config."""
    with about(key):
        return build(table, part, **context)


def check_part(table: Mapping[str, Callable[..., Any]], part: Part) -> None:
    """Refuse what `build` would refuse whatever its context: names, and options and their types.

    Raises:
        UserError: No such entry, an option that it does not take, or one of a wrong type.
    """
    parameters = _parameters(table, part)
    _check(part, {name: parameters[name] for name in part.options})


def _parameters(
    table: Mapping[str, Callable[..., Any]], part: Part
) -> Mapping[str, inspect.Parameter]:
    """Return what the entry of a part takes."""
    if part.name not in table:
        raise UserError(f"unknown name {part.name!r}; {_names(part.name, table)}")
    parameters = inspect.signature(table[part.name], eval_str=True).parameters
    for name in part.options:
        if name not in parameters:
            raise UserError(f"{part.name}: unknown option {name!r}; {hint(name, parameters)}")
    return parameters


def _names(name: str, table: Mapping[str, object]) -> str:
    """Return what to say of a name that is none of a table: the nearest, and all there are."""
    begun = [entry for entry in table if entry.startswith(name)]
    near = begun[0] if len(begun) == 1 else nearest(name, table)
    meant = f"did you mean {near}? " if near else ""
    return f"{meant}there are {', '.join(sorted(table)) or 'none'}"


def _check(part: Part, parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the options in the types that the signature says (a list becomes a tuple)."""
    name, options = part.name, part.options
    schema = create_model(name, __config__=STRICT, **_fields(parameters))
    try:
        checked: BaseModel = schema.model_validate_json(json.dumps(options))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(step) for step in problem["loc"])
        if problem["type"] == "missing":
            raise UserError(f"{name}: option {key!r} is missing") from None
        expected = problem["msg"].replace("Input should be", "expected")
        found = json.dumps(problem["input"])[:60]
        raise UserError(f"{name}: option {key!r}: {expected}, got {found}") from None
    depth = options.get("depth")
    if isinstance(depth, int) and depth > MAX_DEPTH:
        raise UserError(f"{name}: option 'depth': expected at most {MAX_DEPTH}, got {depth}")
    return {option: getattr(checked, option) for option in options}


def _fields(parameters: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the fields of a model with these parameters."""
    empty = inspect.Parameter.empty
    return {
        name: (
            Any if item.annotation is empty else item.annotation,
            ... if item.default is empty else item.default,
        )
        for name, item in parameters.items()
    }
