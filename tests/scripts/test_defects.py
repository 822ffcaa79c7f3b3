"""Every row of the table of defects is found by a command that people type.

What shows before training is asked here as it is shipped, at a tiny size; the two processes and the
training that a row would need are not started: what they leave behind is written where they leave
it. ``python -m benchmarks.doctor_defects`` makes them all.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.defects import DEFECTS
from benchmarks.doctor_defects import ask, call
from benchmarks.doctor_document import STAGES, Defect, Said, caught, findings_in
from cinelex.config.load import dump_config, load_config
from cinelex.core.files import read_json, write_json
from cinelex.doctor.__main__ import main as doctor
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.live import examination, self_tests
from cinelex.doctor.live.ranks_worker import measure
from cinelex.doctor.report.findings import shown_findings
from cinelex.doctor.run_files import read_run
from cinelex.projects import open_project
from cinelex.sweeps import preflight
from cinelex.sweeps.probe import probe
from cinelex.sweeps.settings import Task, expected_config
from tests.doctor.records import CAPTIONS, HEALTHY, RESULTS
from tests.doctor.rules.sick import SICK
from tests.tiny_run import DATA, MODEL, FinishedRun

pytestmark = pytest.mark.slow

TINY = (*DATA, *MODEL, "batch=12", "evaluation.bootstrap=10")
SHORT = ("steps=2", "optimizer.warmup_steps=1", "evaluation.bootstrap=10")
SELF_TESTS = {
    "ranks": "rank_diagnostics",
    "micro_batches": "micro_batch_diagnostics",
    "bf16": "bf16_diagnostics",
    "resume": "resume_diagnostics",
}


def rows(*commands: str) -> list[Any]:
    """Return the rows that these commands find."""
    return [
        pytest.param(defect, id=defect.name)
        for defect in DEFECTS
        if STAGES[defect.stage].command in commands
    ]


def check(folder: Path, *more: str) -> list[Said]:
    """Return what ``doctor.sh check`` says of a run's folder."""
    return findings_in(call(doctor, "check", str(folder), *more))


def leave(folder: Path, evidence: Evidence) -> Path:
    """Write evidence as a run leaves it, and return the folder."""
    assert evidence.config is not None
    (folder / "predictions").mkdir(parents=True)
    (folder / "config.yaml").write_text(dump_config(evidence.config))
    write_json(folder / "results.json", evidence.results.as_json() if evidence.results else {})
    write_json(folder / "doctor.json", {"diagnostics": dict(evidence.diagnostics), "findings": []})
    kept = {
        "metrics.jsonl": [
            *({"kind": "step", **row} for row in evidence.steps),
            *({"kind": "validation", **row} for row in evidence.validations),
        ],
        "predictions/captions.jsonl": evidence.captions,
    }
    for name, lines in kept.items():
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def spoiled(what: str) -> Callable[..., None]:
    """Return what stands for two processes, of which a term or a gradient is half of the truth."""

    def run(_: str, config_file: str, folder: str, **__: Any) -> None:
        config = load_config(config_file)
        found = measure(open_project(config, Path(folder) / "data"), seed=config.seed)
        for name in found:
            found[name] = found[name] * (0.5 if name.startswith(f"{what}/") else 1.0)
        for rank in (0, 1):
            save_file(found, Path(folder) / f"rank-{rank}.safetensors")

    return run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all runs here keep their data."""
    made: Path = tmp_path_factory.mktemp("defects")
    return made


@pytest.mark.parametrize("defect", rows("doctor"))
def test_the_doctors_own_mode_finds_it(
    defect: Defect, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage, test in SELF_TESTS.items():
        if stage != defect.stage and defect.rule != "D3":  # D3 spares them itself
            monkeypatch.setattr(examination, test, lambda *_: {})
    what = "gradient" if defect.says == "gradient" else "term"
    monkeypatch.setattr(self_tests, "run_on_processes", spoiled(what))
    found = caught(defect, ask(defect, folder, *TINY))
    assert found.right, found.line()


@pytest.mark.parametrize("defect", rows("train"))
def test_it_is_found_in_what_such_a_run_leaves(defect: Defect, tmp_path: Path) -> None:
    if defect.stage == "written":
        found = caught(defect, ask(defect, tmp_path, *SHORT))
    else:
        sick = next(
            evidence
            for rule, _, _, evidence in SICK
            for finding in diagnose(evidence)
            if rule == finding.rule == defect.rule and defect.says in finding.statement
        )
        found = caught(defect, check(leave(tmp_path / "run", sick)))
        assert shown_findings(read_run(tmp_path / "run")), "its page can be made"
    assert found.right, found.line()


@pytest.mark.parametrize(
    ("rule", "says", "sick"),
    [
        pytest.param(rule, says, sick, id=f"{rule}-{says}")
        for rule, _, says, sick in SICK
        if rule.startswith("N")
        and not any(one.rule == rule and one.says in says for one in DEFECTS)
    ],
)
def test_what_no_run_here_brings_about_is_found_in_its_record(
    rule: str, says: str, sick: Evidence, tmp_path: Path
) -> None:
    found = check(leave(tmp_path / "run", sick))
    assert [one for one in found if one.rule == rule and says in one.statement]


@pytest.mark.parametrize("defect", rows("check"))
def test_it_is_found_in_the_results_of_a_run(
    defect: Defect, finished_run: FinishedRun, tmp_path: Path
) -> None:
    assert defect.results is not None
    other = Path(shutil.copytree(finished_run.path, tmp_path / "other"))
    write_json(other / "results.json", defect.results(read_json(other / "results.json")))
    beside = ("--reference", str(finished_run.path))
    found = caught(defect, check(other, *beside))
    assert found.right, found.line()
    assert not caught(defect, check(finished_run.path, *beside)).right, "the run itself is healthy"


@pytest.mark.parametrize("defect", rows("sweep"))
def test_a_sweep_refuses_it_before_its_first_trial(
    defect: Defect, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probed(sweep: Any, _: Any, values: Any, number: int) -> Any:
        config = expected_config(sweep, Task(f"p{number}", values, 0))
        return probe(
            config, [metric.name for metric in sweep.settings.metrics], torch.device("cpu")
        )

    monkeypatch.setattr(preflight, "check_arguments", lambda *_: None)
    monkeypatch.setattr("cinelex.scripts.sweep.check_arguments", lambda *_: None)
    monkeypatch.setattr(preflight, "_probe", probed)
    found = caught(defect, ask(defect, folder, *TINY, "threads=null"))
    assert found.right, found.line()


def test_healthy_evidence_is_silent_in_a_folder_too(tmp_path: Path) -> None:
    assert check(leave(tmp_path / "run", HEALTHY)) == []


def test_evidence_made_by_hand_is_such_as_a_run_leaves(finished_run: FinishedRun) -> None:
    lines = (finished_run.path / "metrics.jsonl").read_text().splitlines()
    recorded = {key for line in lines for key in json.loads(line)}
    of_other_runs = {
        *("teacher/distance", "teacher/spread"),  # latents as targets
        *("straggler/rank", "straggler/slower"),  # two processes
        "units/saturated/aggregator",  # one with units
    }
    assert {key for row in HEALTHY.steps for key in row} <= recorded | of_other_runs
    stated = read_json(finished_run.path / "doctor.json")["diagnostics"].keys()
    examined = {key for key in HEALTHY.diagnostics if key.partition("/")[0] in SELF_TESTS}
    of_other_runs = {
        "data/same_label_in_batch",  # images
        *("towers/video/interpolated", "towers/video/pixels_off"),  # a pretrained tower
        *("towers/video/arrived", "towers/text/arrived"),
        "check/outside_beam",  # ultrasound
        "data/dates_overlap",  # a manifest with dates
    }
    assert HEALTHY.diagnostics.keys() <= stated | examined | of_other_runs
    results = read_json(finished_run.path / "results.json")
    assert set(_paths(RESULTS)) <= set(_paths(results))
    captions = (finished_run.path / "predictions" / "captions.jsonl").read_text().splitlines()
    assert CAPTIONS[0].keys() <= json.loads(captions[0]).keys()


def _paths(results: Any, above: str = "") -> list[str]:
    if not isinstance(results, dict):
        return [above]
    return [path for name, entry in results.items() for path in _paths(entry, f"{above}/{name}")]
