"""Shipped configs run, and whatever is wrong is said in one line."""

import csv
import shutil
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.runners.watchdog import GRACE
from tests.tiny_run import (
    CONFIGS,
    STEPS,
    FinishedRun,
    arguments,
    assert_same_end,
    call,
    rows,
    succeed,
)

CLIPSE = CONFIGS.parent / "clipse"
TERMINAL_LINES, TERMINAL_COLUMNS = 24, 100
TRAINED = (
    CONFIGS / "base_config.yaml",
    CLIPSE / "baseline.yaml",
    CLIPSE / "moving_average.yaml",  # its loss has a state
)
"""What differs in the loop; each project's own config trains in tests/projects/test_ranks.py, and
tests/projects/test_shipped.py takes one gradient of every config."""
CANARY = "zxcanary narrowing of the report"


def fail(*command: str) -> str:
    """Run a command line that must be refused, and return the one line it says about it."""
    code, _, complaints = call(command)
    assert code == 2
    line, end, rest = complaints.partition("\n")
    assert (end, rest) == ("\n", ""), complaints
    assert line.startswith("error: ")
    return line


@pytest.mark.parametrize("config", TRAINED, ids=lambda path: path.stem)
def test_a_shipped_config_trains(config: Path, study_cache: Path, tmp_path: Path) -> None:
    more = ("steps=2", "validate_every=0", "name=run", "evaluation.max_new_tokens=4")
    said = succeed(arguments(tmp_path, study_cache, *more, config=config))
    assert [row["step"] for row in rows(tmp_path / "run")] == [1, 2]
    assert "step 2/2" in said
    assert (tmp_path / "run" / "report.html").exists()


def test_a_config_that_needs_a_download_names_the_key_for_its_folder(
    study_cache: Path, tmp_path: Path
) -> None:
    config = str(CLIPSE / "openclip.yaml")
    paths = (f"folder={tmp_path}", f"data.cache={study_cache}")
    assert "clipse.root" in fail("--base_config", config, "device=cpu", *paths)


@pytest.mark.parametrize(("limit_s", "timeout_s"), [("5", 600.0), ("1800", 3600.0)])
def test_a_hang_is_found_by_the_watchdog_before_the_others_give_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: str, timeout_s: float
) -> None:
    def refuse(device: str, *, timeout_s: float) -> None:
        raise UserError(f"{timeout_s:g} s")

    monkeypatch.setattr("cinelex.scripts.main.start", refuse)
    command = arguments(tmp_path, tmp_path, f"hang_limit_s={limit_s}")
    assert fail(*command) == f"error: {timeout_s:g} s"
    assert timeout_s > GRACE * float(limit_s)


def test_a_temperature_of_ten_is_noticed_before_the_first_step(
    study_cache: Path, tmp_path: Path
) -> None:
    more = ("name=run", "temperature=10", "batch=32", "steps=1", "optimizer.warmup_steps=0")
    said = succeed(arguments(tmp_path, study_cache, *more, "evaluation.max_new_tokens=4"))
    before, step, _ = said.partition("step 1/1")
    assert step
    assert "can move by less than 3 % of chance" in before
    assert "temperature" in before.split("can move")[1]


def test_the_usual_temperature_is_not_worth_a_word(finished_run: FinishedRun) -> None:
    assert "of chance" not in finished_run.output.partition("step 1/")[0]


def test_a_run_says_where_it_stands_beside_chance(finished_run: FinishedRun) -> None:
    for step in range(1, STEPS + 1):
        assert f"step {step}/{STEPS}  contrastive " in finished_run.output
    assert "(chance 2.0" in finished_run.output
    summary = finished_run.output[finished_run.output.rindex("\nscore  ") + 1 :].splitlines()
    assert summary[1].startswith("Study to report: Recall at 1 ")
    assert len(summary) <= TERMINAL_LINES
    assert max(map(len, summary[:-4])) <= TERMINAL_COLUMNS  # paths have the length they have
    assert summary[-3].startswith("next: ")
    assert "report: " in finished_run.output


def test_printing_the_config_runs_nothing(tmp_path: Path, study_cache: Path) -> None:
    said = succeed([*arguments(tmp_path / "runs", study_cache, "name=run"), "--print_config"])
    assert "\nsteps: 6\n" in said
    assert not (tmp_path / "runs").exists()


def test_an_unknown_key_gets_the_nearest_one(tmp_path: Path, study_cache: Path) -> None:
    line = fail(*arguments(tmp_path, study_cache, "optimizer.learning_rat=1e-3"))
    assert "optimizer.learning_rat" in line
    assert "learning_rate" in line.replace("learning_rat:", "")


def test_a_folder_of_another_config_names_the_key(finished_run: FinishedRun) -> None:
    line = fail(*finished_run.command[:-1], finished_run.command[-1], "optimizer.eps=1e-7")
    assert "optimizer.eps" in line
    assert "name=" in line


def test_a_missing_manifest_is_named(tmp_path: Path, study_cache: Path) -> None:
    missing = tmp_path / "nowhere.csv"
    assert str(missing) in fail(*arguments(tmp_path, study_cache, f"data.manifest={missing}"))


def test_a_run_that_is_not_there_is_named(tmp_path: Path, study_cache: Path) -> None:
    command = arguments(tmp_path, study_cache, "name=absent", "--run_mode", "validate")
    assert str(tmp_path / "absent") in fail(*command)


def copy_of(finished_run: FinishedRun, folder: Path) -> list[str]:
    """Copy a finished run, and return the command that goes on with the copy."""
    shutil.copytree(finished_run.path, folder / "tiny")
    return [
        f"folder={folder}" if item.startswith("folder=") else item for item in finished_run.command
    ]


def flip_a_bit(run: Path) -> Path:
    """Damage the last checkpoint's weights and return their path."""
    weights = run / "checkpoints" / f"step-{STEPS}" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    return weights


@pytest.mark.parametrize("mode", ["validate", "inference", "embed"])
def test_a_damaged_checkpoint_is_named(
    finished_run: FinishedRun, tmp_path: Path, mode: str
) -> None:
    command = copy_of(finished_run, tmp_path)
    weights = flip_a_bit(tmp_path / "tiny")
    line = fail(*command, "--run_mode", mode)
    assert str(weights) in line
    assert "damaged" in line


def test_training_makes_the_steps_of_a_damaged_checkpoint_again(
    finished_run: FinishedRun, tmp_path: Path
) -> None:
    command = copy_of(finished_run, tmp_path)
    weights = flip_a_bit(tmp_path / "tiny")
    assert str(weights) in fail(*command, "strict_resume=true")
    said = succeed(command)
    assert f"{weights}: damaged" in said
    assert f"resuming after step {STEPS - 2}" in said
    assert_same_end(tmp_path / "tiny", finished_run.path)


def test_a_run_without_a_checkpoint_cannot_be_validated(
    finished_run: FinishedRun, tmp_path: Path
) -> None:
    command = copy_of(finished_run, tmp_path)
    shutil.rmtree(tmp_path / "tiny" / "checkpoints")
    assert "train the run first" in fail(*command, "--run_mode", "validate")


def test_changed_studies_are_refused(finished_run: FinishedRun, tmp_path: Path) -> None:
    command = copy_of(finished_run, tmp_path)
    lock = tmp_path / "tiny" / "manifest.lock"
    lock.write_text(lock.read_text().replace('"data": "', '"data": "0'))
    assert "manifest.lock" in fail(*command)


@pytest.mark.parametrize("wrong", ["video", "split", "twice"])
def test_no_message_quotes_a_report(tmp_path: Path, study_cache: Path, wrong: str) -> None:
    rows_of = [
        ["study_id", "video_path", "report", "split"],
        ["s1", "absent.mp4", CANARY, "train"],
        ["s2", "absent.mp4", f"{CANARY} two", "train" if wrong == "split" else "test"],
    ]
    if wrong == "twice":
        rows_of.append(["s1", "other.mp4", f"{CANARY} three", "train"])
    manifest = tmp_path / "manifest.csv"
    with manifest.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows_of)
    command = arguments(tmp_path, study_cache, "name=run", f"data.manifest={manifest}", "batch=2")
    code, said, complaints = call(command)
    assert code == 2
    # on a slow machine lines of progress stand before it
    *progress, error = complaints.splitlines()
    assert error.startswith("error: ")
    assert not any(line.startswith("error: ") for line in progress)
    assert "zxcanary" not in said + complaints
