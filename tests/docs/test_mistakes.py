"""The page of mistakes: each is made again, and what is printed is what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from cinelex.scripts.command import main

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "mistakes.md"
FEWEST = 30
HEAD = "study_id,video_path,report,split\n"
FILES = {
    "studies.csv": HEAD + "s1,a.mp4,some text,train\ns2,b.mp4,other text,test\n",
    "no_report.csv": "study_id,video_path,split\ns1,a.mp4,train\n",
    "no_split.csv": "study_id,video_path,report\ns1,a.mp4,some text\n",
    "twice.csv": HEAD + "s1,a.mp4,some text,train\ns2,a.mp4,other text,test\n",
    "two_reports.csv": HEAD + "s1,a.mp4,some text,train\ns1,b.mp4,other text,train\n",
    "only_header.csv": HEAD,
    "no_header.csv": "s1,a.mp4,some text,train\n",
    "ragged.csv": HEAD + "s1,a.mp4,some text, with a comma,train\n",
    "quote.csv": HEAD + 's1,a.mp4,"some text,train\n',
    "climbs.csv": HEAD + "s1,../a.mp4,some text,train\n",
    "old.xls": "\xd0\xcf\x11\xe0",
    "wrong_type.yaml": "base: config/clip/base_config.yaml\nname: a\nsteps: many\n",
    "misspelt.yaml": "base: config/clip/base_config.yaml\nname: a\ntempreture: 0.1\n",
    "no_base.yaml": "base: not_there.yaml\nname: a\n",
    "tabs.yaml": "name: a\n\tsteps: 5\n",
}
"""What lies in the folder in which the mistakes are made."""


def mistakes() -> list[tuple[str, str]]:
    """Return each command of the page and what it is said to print."""
    blocks = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", PAGE.read_text(encoding="utf-8"))
    return [(command, said) for command, said in blocks]


def said_by(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what a command prints on standard error, without the folder that it runs in."""
    program, *arguments = shlex.split(command)
    assert program == "cinelex"
    try:
        code = main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2, command
    return capsys.readouterr().err.replace(f"{folder}/", "").replace(str(folder), ".")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files of the page, in which commands run."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content.encode("latin-1"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "IM0001").write_bytes(bytes(128) + b"DICM")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


def test_there_are_thirty_mistakes_each_once() -> None:
    commands = [command for command, _ in mistakes()]
    assert len(set(commands)) == len(commands) >= FEWEST


@pytest.mark.slow
def test_every_mistake_prints_what_the_page_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, said in mistakes():
        assert said_by(command, folder, capsys) == said, command
