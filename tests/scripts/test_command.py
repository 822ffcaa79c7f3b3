"""The command of an installed package: its lists, its help, and what it says of a wrong word."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from cinelex.config.shipped import config_file
from cinelex.core.errors import UserError
from cinelex.scripts import run
from cinelex.scripts.command import main, overview, parser_of
from cinelex.scripts.commands import COMMANDS, GROUPS


def test_the_list_has_every_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    words = [line.split()[0] for line in overview().splitlines() if line.startswith("  ")]
    assert [word for word in words if word in COMMANDS] == [
        name for group in GROUPS for name, entry in COMMANDS.items() if entry.group == group
    ]
    assert sorted(word for word in words if word in COMMANDS) == sorted(COMMANDS)
    assert capsys.readouterr().out == overview()


def test_a_wrong_word_is_answered_by_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    said = capsys.readouterr().err
    assert said == "error: cinelex has no command 'trian'; did you mean train?\n"


def test_the_list_is_printed_without_any_library() -> None:
    code = (
        "import sys; from cinelex.scripts.command import main; main(['--help']); "
        "sys.exit(bool({'torch', 'numpy', 'pandas', 'pydantic'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_help_teaches_by_example_and_in_the_words_that_were_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ingest", "--help"]) == 0
    said = capsys.readouterr().out
    assert "\n  # only the third of sixteen shares\n  cinelex ingest --base_config " in said
    assert "usage: cinelex ingest [-h]" in said
    assert "--part" in said
    assert "--card" not in said
    assert "CINELEX_COMMAND" not in os.environ


def test_help_says_what_an_option_is_where_it_is_left_out_and_nothing_of_other_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit):
        main(["search", "--help"])
    said = capsys.readouterr().out
    assert "how many to show (default: 5)" in said
    assert "default: None" not in said
    with pytest.raises(SystemExit):
        main(["caption", "--help"])
    assert "--reports" not in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_example_is_one_that_its_command_reads(name: str) -> None:
    parser = parser_of(COMMANDS[name])
    assert isinstance(parser, ArgumentParser)
    assert COMMANDS[name].examples
    for example in COMMANDS[name].examples:
        line = example.partition("  # ")[0].partition(" >")[0]
        known, unknown = parser.parse_known_args(line.split())
        assert not [word for word in unknown if word.startswith("-")], known


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command_and_its_options(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", shell]) == 0
    said = capsys.readouterr().out
    for word in (*COMMANDS, "--selected_gpus", "--sweep_config", "--dicom", "--reference"):
        assert word in said


def test_a_config_is_a_file_the_folder_of_a_run_or_what_is_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shipped = config_file("config/clip/multitask_config.yaml")
    assert shipped.is_file()
    own = tmp_path / "config" / "clip"
    own.mkdir(parents=True)
    (own / "multitask_config.yaml").touch()
    assert config_file("config/clip/multitask_config.yaml").resolve().parent == own
    (tmp_path / "config.yaml").touch()
    assert config_file(tmp_path) == tmp_path / "config.yaml"
    with pytest.raises(UserError, match=r"no config\.yaml there"):
        config_file(own)


@pytest.mark.parametrize(
    ("gpus", "processes", "why"),
    [
        ("0;1", None, "must be like 0,1,2"),
        ("0,0", None, "names a GPU twice"),
        ("0", "2", "exclude each other"),
        (None, "0", "must be a positive number"),
    ],
)
def test_devices_that_cannot_be_meant_are_refused(
    gpus: str | None, processes: str | None, why: str
) -> None:
    with pytest.raises(UserError, match=why):
        run.choose(gpus, processes)


def test_each_gpu_gets_a_process_and_nothing_else_is_visible(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert run.choose("0,2", None) == 2
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,2"
    assert run.choose(None, "3") == 3
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert run.choose(None, None) == 1
