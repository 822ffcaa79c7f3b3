"""Findings sent to a webhook, or through W&B, as they are made: off unless the environment asks."""

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.doctor.finding import Finding

VARIABLE = "CINELEX_WEBHOOK"
"""The address, which is a secret and so stands in no config."""
WANDB = "CINELEX_WANDB_ALERTS"
"""Set to 1, findings are alerts of a run that logs to W&B."""
TIMEOUT_S = 10.0
SENT = ("rule", "severity", "statement", "measured", "threshold", "key", "remedy")
"""What of a finding leaves the machine: numbers and names of the config, nothing of a patient."""


def alert(run: str, findings: Sequence[Finding]) -> threading.Thread | None:
    """Send errors and warnings, without waiting; whatever becomes of it, the run goes on.

    The body has ``text``, one line that chat services show, and ``findings`` for machines.

    Args:
        run: Its name.
        findings: Those that are new.

    Returns:
        The thread that sends; None where there is nothing to send, or nowhere to send it to.
    """
    url = os.environ.get(VARIABLE)
    worth = [one for one in findings if one.severity != "note"]
    if not url or not worth or not is_main():
        return None
    if not url.startswith(("http://", "https://")):
        say(f"warning: {VARIABLE} is no http address; no finding is sent")
        return None
    lines = [f"{one.rule} {one.severity}: {one.statement}" for one in worth]
    content = {
        "text": f"{run}: " + " ".join(lines),
        "run": run,
        "findings": [{name: getattr(one, name) for name in SENT} for one in worth],
    }
    body = json.dumps(content).encode()
    # not a daemon: what is found last is sent before the process ends
    thread = threading.Thread(target=_post, args=(url, body), name="alert")
    thread.start()
    return thread


def through_wandb(tell: Callable[[str, str], None], findings: Sequence[Finding]) -> None:
    """Tell W&B of errors and warnings, if the environment asks for that.

    Args:
        tell: Takes a title and a text.
        findings: Those that are new.
    """
    if os.environ.get(WANDB) != "1":
        return
    for one in findings:
        if one.severity != "note":
            text = f"{one.statement} {one.cause} Change `{one.key}`: {one.remedy}"
            tell(f"{one.rule} {one.severity}", text)


def _post(url: str, body: bytes) -> None:
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT_S):  # noqa: S310, http was checked
            pass
    except (urllib.error.URLError, OSError, ValueError) as problem:
        # not the address, which lets whoever has it write there
        say(f"warning: {VARIABLE} did not take a finding ({type(problem).__name__})")
