"""One process talks, and at once."""

import io
import sys

import pytest

from cinelex.core import console


class Counting(io.StringIO):
    """Remembers what was there at each flush."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed: list[str] = []

    def flush(self) -> None:
        self.flushed.append(self.getvalue())


def test_a_line_is_out_before_the_next_thing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    out = Counting()
    monkeypatch.setattr(sys, "stdout", out)
    console.say("step 1")
    console.say("step 2")
    assert out.flushed == ["step 1\n", "step 1\nstep 2\n"]


def test_other_processes_are_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "speaks_for_all", lambda: False)
    console.say("step 1")
    assert capsys.readouterr() == ("", "")
