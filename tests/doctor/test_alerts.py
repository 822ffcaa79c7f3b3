"""Findings sent to a server on this machine, and to nobody."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from cinelex.doctor.alerts import SENT, VARIABLE, alert, through_wandb
from cinelex.doctor.check import diagnose
from tests.doctor.records import found, with_steps
from tests.doctor.rules.sick import CLAMPED, SICK

ERROR = next(evidence for _, severity, _, evidence in SICK if severity == "error")


class _Taker(BaseHTTPRequestHandler):
    taken: list[Any]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.taken.append(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a webhook on this machine was sent."""
    _Taker.taken = []
    with HTTPServer(("127.0.0.1", 0), _Taker) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{server.server_port}/hook")
        yield _Taker.taken
        server.shutdown()
        thread.join()


def test_an_error_is_sent_with_its_numbers_and_no_more(taken: list[Any]) -> None:
    findings = diagnose(ERROR)
    sender = alert("tiny", findings)
    assert sender is not None
    sender.join()
    (body,) = taken
    assert body["run"] == "tiny"
    assert body["text"].startswith(f"tiny: {findings[0].rule} error:")
    assert all(one.keys() == set(SENT) for one in body["findings"])


def test_nothing_is_sent_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert alert("tiny", diagnose(ERROR)) is None


def test_an_address_that_does_not_answer_is_one_warning_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:9/secret")
    sender = alert("tiny", diagnose(ERROR))
    assert sender is not None
    sender.join()
    said = capsys.readouterr().out
    assert said.startswith("warning: CINELEX_WEBHOOK did not take a finding")
    assert "secret" not in said
    monkeypatch.setenv(VARIABLE, "file:///etc/passwd")
    assert alert("tiny", diagnose(ERROR)) is None


def test_w_and_b_is_told_only_where_the_environment_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [*found(CLAMPED, "D16"), *found(with_steps(grad_norm=8.0), "D15")]
    told: list[tuple[str, str]] = []
    through_wandb(lambda *what: told.append(what), findings)
    assert told == []
    monkeypatch.setenv("CINELEX_WANDB_ALERTS", "1")
    through_wandb(lambda *what: told.append(what), findings)
    [(title, text)] = told  # a note is no alert
    assert title == "D16 warning"
    assert "an end of its range" in text
