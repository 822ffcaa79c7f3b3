"""The command line of the road."""

from pathlib import Path

import pytest

from cinelex.config.prepare_schema import PrepareConfig
from cinelex.core.errors import UserError
from cinelex.data.prepare.settings import PrepareSettings
from cinelex.scripts.prepare import main, settings_of, share_of


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "x"], "--dicom is missing"),
        (["--part", "4/3"], "--part: expected I/N"),
        (["min_confidense=1"], "did you mean min_confidence?"),
        (["splits.by=tme"], "splits.by"),
        (["splits.val=0.6", "splits.test=0.5"], "leave nothing to train on"),
        (["--demo", "--dicom", "x"], "leave those out"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given = arguments if "--demo" in arguments or "--out" in arguments else [
        *arguments, f"--dicom={tmp_path}", f"--out={tmp_path / 'out'}"
    ]  # fmt: skip
    assert main(given) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_share_is_one_of_its_number() -> None:
    assert [share_of(f"{part}/3") for part in (1, 2, 3)] != [share_of(None)] * 3
    paths = [f"{number}.dcm" for number in range(300)]
    shares = [share_of(f"{part}/3") for part in (1, 2, 3)]
    assert all(sum(path in share for share in shares) == 1 for path in paths)
    with pytest.raises(UserError):
        share_of("0/3")


def test_the_options_and_the_settings_have_the_same_defaults() -> None:
    assert settings_of(PrepareConfig(workers=1)) == PrepareSettings()
