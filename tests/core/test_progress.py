"""Progress lines where there is no terminal, and the bar where there is one."""

import io
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from cinelex.core import distributed
from cinelex.core.progress import awaited, duration, progress


class Terminal(io.StringIO):
    """A stderr that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which each look takes four seconds."""
    now: Iterator[float] = iter(4.0 * tick for tick in range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(now))


@pytest.mark.usefixtures("slow_clock")
def test_a_log_gets_a_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(progress(iter("abcdefg"), total=7, what="studies")) == list("abcdefg")
    assert capsys.readouterr().err.splitlines() == [
        "studies: 3 of 7 after 12 s, 16 s left",
        "studies: 6 of 7 after 24 s, 4 s left",
    ]


@pytest.mark.usefixtures("slow_clock")
def test_batches_count_for_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress(["ab", "c", "def", "g"], total=7, what="files", size=len))
    assert capsys.readouterr().err == "files: 6 of 7 after 12 s, 2 s left\n"


@pytest.mark.usefixtures("slow_clock")
def test_an_unknown_total_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress(range(3), total=None, what="steps"))
    assert capsys.readouterr().err == "steps: 3 after 12 s\n"


@pytest.mark.usefixtures("slow_clock")
def test_only_the_main_process_speaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cinelex.core.progress.speaks_for_all", lambda: False)
    assert distributed.is_main()
    assert list(progress(range(9), total=9, what="steps")) == list(range(9))
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("cinelex.core.progress.SHOWN_AFTER_S", 0.0)
    assert list(progress(range(3), total=3, what="clips")) == [0, 1, 2]
    assert "clips:" in terminal.getvalue()
    assert "/3" in terminal.getvalue()


def test_what_is_done_at_once_needs_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    list(progress(range(3), total=3, what="clips"))
    assert terminal.getvalue() == ""


def test_a_time_is_said_in_two_units_at_most() -> None:
    told = [duration(seconds) for seconds in (0.4, 59.6, 200.0, 7500.0)]
    assert told == ["0 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]


def test_what_does_not_come_is_said_once_and_waited_for() -> None:
    said, lines = threading.Event(), list[str]()

    def write(line: str) -> None:
        lines.append(line)
        said.set()

    def slow() -> Iterator[str]:
        yield "a"
        said.wait()
        yield "b"

    late = awaited(slow(), what="a folder has not answered", late_s=0.01, write=write)
    assert list(late) == ["a", "b"]
    assert set(lines) == {"a folder has not answered for 0 s; still waiting\n"}
