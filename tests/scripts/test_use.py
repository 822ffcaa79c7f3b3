"""What a trained run says of one study, through the command."""

import shutil
from pathlib import Path

import pytest

from cinelex.scripts.command import main
from cinelex.scripts.use import read_reports
from tests.tiny_run import FinishedRun


def test_reports_are_taken_from_a_table_or_from_lines_each_once(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("study_id,Report\ns1,one\ns2,two\ns3,one\n")
    (tmp_path / "r.txt").write_text("one\n\ntwo\none\n")
    assert read_reports(tmp_path / "r.csv") == ["one", "two"]
    assert read_reports(tmp_path / "r.txt") == ["one", "two"]


@pytest.mark.slow
def test_a_study_is_captioned_and_searched_and_a_missing_video_is_named_by_its_place(
    finished_run: FinishedRun,
    study_cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video = str(next(study_cache.rglob("*.mp4")))
    (tmp_path / "r.txt").write_text("Normal coronary arteries.\n70% stenosis of the mid LAD.\n")
    run, reports = str(finished_run.path), str(tmp_path / "r.txt")
    assert main(["caption", run, video]) == 0
    assert main(["facts", run, video]) == 0
    assert "facts.json" not in capsys.readouterr().err
    without = shutil.copytree(
        run, tmp_path / "without", ignore=shutil.ignore_patterns("facts.json")
    )
    assert main(["caption", str(without), video]) == 0
    assert "has no facts.json" in capsys.readouterr().err
    assert main(["search", run, video, "--reports", reports, "--count", "1"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first.partition("  ")[2] in (tmp_path / "r.txt").read_text().splitlines()
    assert float(first.split()[0]) >= float(last.rpartition(" ")[2])
    assert main(["caption", run, video, str(tmp_path / "gone.mp4")]) == 2
    assert "video 2 of 2" in capsys.readouterr().err
