"""A library of an extra that is not installed is one line, which names the extra."""

import pytest

from cinelex.core.entry import guarded
from cinelex.core.extras import how_to_install


def _lacks(name: str) -> int:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_missing_extra_is_one_line_and_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _lacks("optuna.trial")) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: optuna is not installed, which this needs: ")
    assert said.endswith('pip install "cinelex[sweep]"\n')


def test_a_missing_module_of_no_extra_is_a_fault_of_the_program() -> None:
    assert how_to_install("cinelex.nothing") is None
    with pytest.raises(ModuleNotFoundError):
        guarded(lambda: _lacks("cinelex.nothing"))
