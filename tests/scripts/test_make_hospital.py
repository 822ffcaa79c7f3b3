"""Making a synthetic hospital from a command line."""

from pathlib import Path

import pytest

from cinelex.scripts.make_hospital import main


@pytest.mark.slow
def test_a_hospital_is_made_with_the_shares_that_were_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--output", str(tmp_path), "--studies", "3", "--size", "32", "--frames", "4"]
    assert main([*words, "ultrasound_rate=0", "cut_rate=1"]) == 0
    (made,) = tmp_path.glob("hospital-*")
    assert str(made / "reports.csv") in capsys.readouterr().out
    assert (made / "truth" / "files.parquet").exists()


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ultrasond_rate=0", "did you mean ultrasound_rate?"),
        ("cut_rate=often", "cut_rate: a share is a number from 0 to 1, found 'often'"),
        ("cut_rate=3", "cut_rate must lie in 0 to 1, found 3.0"),
    ],
)
def test_a_share_that_cannot_be_is_said_in_a_line(
    word: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path), word]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
