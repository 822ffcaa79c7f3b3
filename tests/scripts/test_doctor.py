"""The doctor beside one tiny run: facts, probes, the doctor's own mode, and its self-tests."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.core.processes import run_on_processes
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.live import examination
from cinelex.doctor.live.examination import examine
from cinelex.doctor.live.self_tests import (
    bf16_diagnostics,
    compare,
    micro_batch_diagnostics,
    resume_diagnostics,
)
from cinelex.doctor.live.watch import Watch
from cinelex.doctor.run_files import read_run
from cinelex.losses import contrastive
from cinelex.projects import open_project
from cinelex.runners import restore
from cinelex.runners.gradients import Gradients
from cinelex.runners.run_folder import RunFolder
from tests.tiny_run import (
    MULTITASK,
    STEPS,
    FinishedRun,
    arguments,
    call,
)

CPU = torch.device("cpu")


LINEAR = (
    *(f"model.video_encoder.options.{key}" for key in ("stem=linear", "log_levels=false")),
    *("model.video_encoder.options.peaks=false", "loss_weights.facts=4"),
)
"""Frames as they are and one matrix a tubelet, with facts weighing less."""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, study_cache: Path, finished_run: FinishedRun
) -> tuple[Any, Any]:
    """The tiny run's config and project, opened once."""
    assert finished_run.path.exists(), "the studies were made by it"
    folder = tmp_path_factory.mktemp("doctor")
    overrides = [item for item in arguments(folder, study_cache, "name=open") if "=" in item]
    config = load_config(MULTITASK, overrides)
    return config, open_project(config, folder)


def test_a_finished_run_left_facts_and_no_finding(finished_run: FinishedRun) -> None:
    kept = json.loads((finished_run.path / "doctor.json").read_text())
    assert kept["findings"] == []
    diagnostics = kept["diagnostics"]
    assert diagnostics["optimizer/ungrouped"] == diagnostics["parameters/unmoved"] == []
    assert diagnostics["check/repeat"] == 0.0
    assert diagnostics["check/padding_effect"] < 1e-6
    assert diagnostics["check/absent_view"] < 1e-5
    assert diagnostics["check/view_dropped"] > 1e-6
    assert 0 < diagnostics["data/pad_share"] < 1
    assert diagnostics["data/videos"] > diagnostics["data/studies"]


def test_no_rule_fires_on_the_run_and_all_could_read(finished_run: FinishedRun) -> None:
    run = read_run(finished_run.path)
    assert run.diagnostics
    assert run.results
    assert [finding.rule for finding in diagnose(run.evidence())] == []


def test_looking_changes_no_number(
    finished_run: FinishedRun, study_cache: Path, tmp_path: Path
) -> None:
    command = arguments(tmp_path, study_cache, "name=looked", "probe_every=2", "steps=3")
    plain = arguments(tmp_path, study_cache, "name=plain", "probe_every=0", "steps=3")
    ends = []
    for each in (command, plain):
        code, _, complaints = call(each)
        assert code == 0, complaints
    for name in ("looked", "plain"):
        ends.append((tmp_path / name / "checkpoints" / "step-3" / "model.safetensors").read_bytes())
    assert ends[0] == ends[1]
    steps = read_run(tmp_path / "looked").steps
    probed = [row for row in steps if "gradient/norm/contrastive" in row]
    assert [row["step"] for row in probed] == [1, 2]
    assert all(row["gradient/norm/captioning"] > 0 for row in probed)
    assert steps[0]["embedding/samples"] > 1


@pytest.mark.timeout(900)  # the two processes of its self-test start up first
def test_the_doctors_own_mode_finds_nothing_and_leaves_nothing(
    project: tuple[Any, Any], study_cache: Path, tmp_path: Path, finished_run: FinishedRun
) -> None:
    assert finished_run.path.exists()
    command = [*arguments(tmp_path, study_cache, "name=fresh"), "--run_mode", "doctor"]
    code, said, complaints = call(command)
    assert code == 0, complaints
    assert "the doctor finds nothing" in said
    assert not (tmp_path / "fresh").exists()


def test_an_error_is_an_exit_code(
    project: tuple[Any, Any],
    study_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "cinelex.doctor.live.examination.rank_diagnostics", lambda *_: {"ranks/term_error": 1.0}
    )
    command = arguments(tmp_path, study_cache, "name=sick", "temperature=10", "steps=4")
    code, said, _ = call([*command, "--run_mode", "doctor"])
    assert code == 1
    assert said.index("D4 error") < said.index("D6 error")


def test_an_examination_reads_what_a_run_has_recorded(
    project: tuple[Any, Any],
    finished_run: FinishedRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, opened = project
    shutil.copytree(finished_run.path, tmp_path / "tiny")
    record = tmp_path / "tiny" / "metrics.jsonl"
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    for row in rows:
        row["grad_norm"] = None
    record.write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr("cinelex.doctor.live.examination.rank_diagnostics", lambda *_: {})
    findings = examine(opened, config, RunFolder(tmp_path / "tiny"), CPU)
    assert [finding.rule for finding in findings] == ["D15"]


def test_a_resumed_step_is_the_same_step(project: tuple[Any, Any]) -> None:
    config, opened = project
    assert resume_diagnostics(opened, config, CPU) == {"resume/difference": 0.0}


def test_lost_moments_are_a_difference(
    project: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, opened = project
    monkeypatch.setattr(restore, "restore_optimizer", lambda optimizer, tensors: None)
    assert resume_diagnostics(opened, config, CPU)["resume/difference"] > 0.01


def test_a_batch_of_one_is_not_shared(
    project: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, opened = project
    for name in ("resume", "bf16", "micro_batch", "rank"):
        tried = {f"{name}/difference": 0.0}
        monkeypatch.setattr(examination, f"{name}_diagnostics", lambda *_, tried=tried: tried)
    alone = config.model_copy(update={"batch": 1})
    found = examination.self_tests(opened, alone, torch.device("cpu"))
    assert found.keys() == {"resume/difference", "bf16/difference"}


def test_a_batch_in_micro_batches_is_the_whole(
    project: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, opened = project
    assert max(micro_batch_diagnostics(opened, config).values()) < 1e-4
    monkeypatch.setattr(Gradients, "_by_micro_batch", first_micro_batch_alone)
    assert micro_batch_diagnostics(opened, config)["micro_batches/gradient_error"] > 0.01


def test_half_precision_leaves_the_losses_alone(
    project: tuple[Any, Any], study_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = arguments(tmp_path, study_cache, "name=linear", *LINEAR)
    linear = load_config(MULTITASK, [item for item in command if "=" in item])
    tried = [project, (linear, open_project(linear, tmp_path))]
    for config, opened in tried:
        assert max(bf16_diagnostics(opened, config).values()) < 1e-4
    monkeypatch.setattr(contrastive, "similarity_matrix", lambda study, report: study @ report.T)
    errors = []
    for config, opened in tried:
        found = bf16_diagnostics(opened, config)
        assert {finding.rule for finding in diagnose(Evidence(diagnostics=found))} == {"D6"}
        errors.append(found["bf16/gradient_error"])
    assert max(errors) > 0.01
    assert min(errors) > 0.005


def first_micro_batch_alone(self: Gradients[Any], batch: Any, weights: Any, **named: Any) -> Any:
    """Train on the first micro-batch and forget the others."""
    return replace(self, micro_batches=1).of(batch.split(2)[0], weights, **named)


def test_the_worst_gradient_and_the_worst_term_are_reported() -> None:
    def measured(term: float, weight: float) -> dict[str, Tensor]:
        return {
            "term/a": torch.tensor(term),
            "gradient/w": torch.tensor([weight, 0.0]),
            "gradient/zero": torch.tensor([1e-9 * weight]),
        }

    same = compare(measured(2.0, 1.0), [measured(2.0, 1.0)] * 2)
    assert same == {"term_error": 0.0, "gradient_error": 0.0}
    half = compare(measured(2.0, 1.0), [measured(2.0, 1.0), measured(1.0, 0.5)])
    assert half["term_error"] == pytest.approx(0.5)
    assert half["gradient_error"] == pytest.approx(0.5)


def test_a_failed_process_is_one_line() -> None:
    with pytest.raises(UserError, match=r"process [01] of 2 failed: .*no_such_module"):
        run_on_processes("core.no_such_module", world=2)


def test_steps_that_are_made_again_are_compared(
    project: tuple[Any, Any], finished_run: FinishedRun, tmp_path: Path
) -> None:
    config, _ = project
    shutil.copytree(finished_run.path, tmp_path / "tiny")
    watch = Watch(config, tmp_path / "tiny")
    before = [row for row in read_run(tmp_path / "tiny").steps if row["step"] > 2]

    class Resumed:
        step = 2

    watch.begin(Resumed())  # type: ignore[arg-type]
    assert len(before) == STEPS - 2
    for row in before:
        watch.write(row["step"], {**row, "loss": 1.5 * row["loss"]})
    watch.close()
    kept = json.loads((tmp_path / "tiny" / "doctor.json").read_text())
    assert [finding["rule"] for finding in kept["findings"]] == ["D20"]
