"""A run that learns its captions by heart is told so at its end, on the terminal."""

from pathlib import Path

import pytest

from tests.projects.clipse.test_clipse import command
from tests.tiny_run import call


@pytest.mark.slow
def test_what_was_learned_by_heart_is_said_without_a_validation(tmp_path: Path) -> None:
    few = ("steps=100", "validate_every=1000", "clipse.synthetic.test=16", "log_every=100")
    line = command("baseline", tmp_path, tmp_path / "cache", *few, "checkpoint_every=100")
    code, said, _ = call(line)
    assert code == 0
    last = said[said.index("evaluating") :]
    assert "D21 warning" in last, last
    assert " of the improvement of the term ce on training studies does not carry over" in last
