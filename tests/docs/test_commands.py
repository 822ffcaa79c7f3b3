"""Every command line of the documents is one that is understood, with keys that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from cinelex.scripts.command import main
from cinelex.scripts.commands import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNNER = ("bash", "scripts/runner.sh")
FEWEST = 20
UNKNOWN = ("…", "$", "NAME", "FOLDER", "/models/", "runs/")
"""Marks of a line that stands for others, or that needs what only its reader has."""


def commands() -> Iterator[list[str]]:
    """Yield the words of every command line in a block of shell, without what the shell does."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```(?:bash|sh)\n(.*?)```", text, re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                ours = line.startswith(("bash scripts/runner.sh ", "cinelex "))
                if ours and not any(mark in line for mark in UNKNOWN):
                    yield shlex.split(line.partition(" && ")[0], comments=True)


def test_every_command_of_the_documents_is_one_that_there_is() -> None:
    found = list(commands())
    assert len(found) >= FEWEST
    for words in found:
        assert words[0] == "bash" or words[1] in COMMANDS or words[1].startswith("-"), words


@pytest.mark.slow
def test_every_run_of_the_documents_has_a_config_that_is_valid(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    checked = 0
    for words in commands():
        rest = ["run", *words[2:]] if tuple(words[:2]) == RUNNER else words[1:]
        shown = "--selected_gpus" in rest or "--processes" in rest
        of_shipped = any(word.startswith("config/") for word in rest)
        if "--base_config" not in rest or not of_shipped or shown or rest[0] == "sweep":
            continue
        checked += 1
        assert main([*rest, "--print_config"]) == 0, (words, capsys.readouterr().err)
    assert checked >= FEWEST
