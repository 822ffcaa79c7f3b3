"""Functions that are named now and imported when they are called."""

import json

import pytest

from cinelex.core.later import later


def test_the_named_function_is_called_with_its_arguments() -> None:
    assert later("json:dumps")({"b": 1, "a": 2}, sort_keys=True) == json.dumps({"a": 2, "b": 1})


def test_nothing_is_imported_before_the_call() -> None:
    absent = later("no_such_module_anywhere:function")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        absent()
