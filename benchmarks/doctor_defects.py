"""Put every defect back, run the doctor, and write the table of what caught it, docs/why/doctor.md.

``python -m benchmarks.doctor_defects [--only TEXT] [--folder runs/doctor]``; about an hour on one
CPU core. What has a defect is run without it too, and the rules must find nothing but notes there.
Runs that are finished in the folder are read again, not made again; name another one for new ones.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from benchmarks.defects import DEFECTS
from benchmarks.doctor_document import Caught, Defect, write_defects
from benchmarks.doctor_rank_worker import VARIABLE
from benchmarks.doctor_settings import FEW_STUDIES, Scale, defect_config
from benchmarks.training_defects import CONTROLS, WHOLE
from cinelex.config.load import dump_config
from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence, Sweep
from cinelex.doctor.finding import Finding
from cinelex.doctor.live.diagnostics import starting_diagnostics
from cinelex.doctor.live.self_tests import (
    bf16_diagnostics,
    micro_batch_diagnostics,
    rank_diagnostics,
    resume_diagnostics,
)
from cinelex.doctor.live.watch import Watch, probes_of
from cinelex.doctor.run_files import RunFiles, read_run, read_steps
from cinelex.projects import open_project
from cinelex.projects.interface.project import Project
from cinelex.runners.evaluate import evaluate
from cinelex.runners.optimizer import build_optimizer
from cinelex.runners.run_folder import RunFolder, lock_manifest, open_for_training
from cinelex.runners.train import Trainer
from tests.doctor.historical_eq import train_historical

CPU = torch.device("cpu")
RANKS = {
    "encoder called around DDP": "bypass",
    "gather that keeps the local slice": "local-slice",
    "caption loss as a mean of rank means": "mean-of-means",
    "mean over ranks divided twice": "divided-twice",
    "pixel statistics of each rank's batch": "own-statistics",
}
SELF_TESTS = ("ranks", "parts", "half", "resume")
SCALES: dict[str, Scale] = {"run": "learning", "whole": "whole"}
"""How much of its recipe a stage runs, where it is not a tiny model's few steps."""


def look(defect: Defect, folder: Path) -> list[Finding]:
    """Return what the doctor finds in a run with this defect, as far as its stage goes."""
    stages: dict[str, Callable[[Defect, RunConfig], Evidence]] = {
        "config": lambda _, config: Evidence(config=config),
        "sweep": _sweep,
        "facts": _facts,
        "ranks": _ranks,
        "parts": _parts,
        "half": _half,
        "resume": _resume,
        "short": _trained,
        "run": _trained,
        "whole": _trained,
        "history": lambda *_: Evidence(results=train_historical().results),
    }
    with defect.code() if defect.code else nullcontext():
        return diagnose(stages[defect.stage](defect, config_of(defect, folder)))


def config_of(defect: Defect, folder: Path) -> RunConfig:
    """Return what a run with this defect is configured as."""
    few = FEW_STUDIES if defect.stage in ("config", "facts", *SELF_TESTS) else ()
    return defect_config(
        re.sub(r"\W+", "-", defect.name.lower()).strip("-"),
        folder,
        (*few, *defect.overrides),
        recipe=defect.recipe,
        scale=SCALES.get(defect.stage, "tiny"),
    )


def _sweep(defect: Defect, config: RunConfig) -> Evidence:
    if "objective" in defect.says:
        return Evidence(config=config, sweep=Sweep(("loss_weights.captioning",), "loss"))
    unread = Sweep(("optimizer.temperature_learning_rate",), "retrieval/recall_at_1")
    return Evidence(config=config.model_copy(update={"learn_temperature": False}), sweep=unread)


def _facts(_: Defect, config: RunConfig) -> Evidence:
    project = opened(config)[0]
    module = project.model()
    diagnostics = starting_diagnostics(project, module, build_optimizer(module, config.optimizer))
    return Evidence(config=config, diagnostics=diagnostics)


def _ranks(defect: Defect, config: RunConfig) -> Evidence:
    project = opened(config)[0]
    with mock.patch.dict(os.environ, {VARIABLE: RANKS.get(defect.name, "")}):
        diagnostics = rank_diagnostics(project, config, worker="benchmarks.doctor_rank_worker")
    return Evidence(config=config, diagnostics=diagnostics)


def _parts(_: Defect, config: RunConfig) -> Evidence:
    project = opened(config)[0]
    return Evidence(config=config, diagnostics=micro_batch_diagnostics(project, config))


def _half(_: Defect, config: RunConfig) -> Evidence:
    project = opened(config)[0]
    return Evidence(config=config, diagnostics=bf16_diagnostics(project, config))


def _resume(_: Defect, config: RunConfig) -> Evidence:
    project = opened(config)[0]
    return Evidence(config=config, diagnostics=resume_diagnostics(project, config, CPU))


def _trained(defect: Defect, config: RunConfig) -> Evidence:
    return train(config, measured=defect.stage in SCALES).evidence()


def train(config: RunConfig, *, measured: bool = True) -> RunFiles:
    """Train a run as the command line does, evaluate it if asked, and return what it left.

    A run of this very config that is finished already is not made again.
    """
    left = config.folder / config.name
    if finished(left, config, measured=measured):
        return read_run(left)
    project, folder = opened(config)
    provenance = lock_manifest(folder, config, data_hash=project.data_hash())
    watch = Watch(config, folder.path)
    watch.look(project, CPU)
    trainer = Trainer(
        project,
        config,
        folder=folder.path,
        device=CPU,
        provenance=provenance,
        sinks=(watch,),
        probes=probes_of(project, config),
    )
    watch.begin(trainer)
    trainer.run()
    watch.close()
    if measured:
        evaluate(project, config, folder, CPU)
    return read_run(folder.path)


def opened(config: RunConfig) -> tuple[Project[Any, Any], RunFolder]:
    """Return the project of a run that begins anew, and its folder."""
    shutil.rmtree(config.folder / config.name, ignore_errors=True)
    folder = open_for_training(config)
    return open_project(config, folder.path), folder


def finished(path: Path, config: RunConfig, *, measured: bool) -> bool:
    """Return whether a folder holds a run of this config to its last step, evaluated if asked."""
    if not (path / "config.yaml").exists() or (path / "config.yaml").read_text() != dump_config(
        config
    ):
        return False
    steps = read_steps(path)
    done = bool(steps) and steps[-1]["step"] == config.steps
    return done and (not measured or (path / "results.json").exists())


def results_defects(healthy: Evidence) -> dict[str, list[Finding]]:
    """Return what is found in results that were made up from those of a healthy run."""
    hashless = {**healthy.results, "provenance": {}}
    better = _scaled(healthy.results, 1.0408)
    return {
        "every metric 4.08 % better than measured": diagnose(
            replace(healthy, results=better, reference=healthy.results)
        ),
        "results without hashes": diagnose(replace(healthy, results=hashless)),
    }


def _scaled(results: Any, factor: float) -> Any:
    if not isinstance(results, dict):
        return results
    return {
        name: factor * value
        if name == "value" and isinstance(value, float)
        else _scaled(value, factor)
        for name, value in results.items()
    }


def catch(defect: Defect, findings: list[Finding]) -> Caught:
    """Return what the defect's own rule says of it, and which others spoke too."""
    own = [f for f in findings if f.rule == defect.rule and defect.says in f.statement]
    others = sorted({f.rule for f in findings if f.rule != defect.rule and f.severity != "note"})
    return Caught(defect=defect, finding=own[0] if own else None, others=tuple(others))


def main(arguments: list[str] | None = None) -> int:
    """Try all defects, or those whose name holds a text; return 1 if one was not caught."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the names of the defects to try")
    parser.add_argument("--folder", type=Path, default=Path("runs/doctor"))
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows, healthy = [], None
    for defect in (d for d in (*DEFECTS, *CONTROLS) if options.only in d.name):
        if defect.stage == "results":
            healthy = healthy or train(config_of(WHOLE, options.folder)).evidence()
            findings = results_defects(healthy)[defect.name]
        else:
            findings = look(defect, options.folder)
        rows.append(catch(defect, findings))
        say(rows[-1].line())
    if not options.only:
        write_defects(rows)
    return int(not all(row.right for row in rows))


if __name__ == "__main__":
    sys.exit(main())
