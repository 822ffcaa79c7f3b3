"""The run modes that every project has: train, ingest, validate, doctor and others."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any

import torch

from cinelex.config.schema import RunConfig
from cinelex.core import checkpoint
from cinelex.core.checkpoint import has_begun
from cinelex.core.console import say
from cinelex.core.distributed import barrier, broadcast_json, is_main
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import INTERRUPTED, PREEMPTED, SICK
from cinelex.core.locks import sole_user
from cinelex.core.shared_memory import too_small
from cinelex.core.weights import load_weights
from cinelex.doctor.check import diagnose, diagnose_run
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import is_sick, render, short_lines, summary
from cinelex.doctor.live.examination import examine
from cinelex.doctor.live.watch import Watch, probes_of
from cinelex.doctor.report.page import write_report
from cinelex.doctor.run_files import read_run
from cinelex.projects import PROJECTS, open_project, rehearse
from cinelex.projects.interface.project import Project
from cinelex.projects.interface.towers import grid_lines, tower_lines
from cinelex.runners.csv_log import write_csv_log
from cinelex.runners.evaluate import evaluate
from cinelex.runners.finished import Finished, RunRequest, open_finished
from cinelex.runners.groups import group_lines
from cinelex.runners.nonfinite import read_bundle
from cinelex.runners.run_folder import (
    RunFolder,
    open_for_training,
    provenance_of,
    write_down,
)
from cinelex.runners.sinks import Sink, WandbSink
from cinelex.runners.summary import next_lines, schedule_lines, summary_lines
from cinelex.runners.train import Trainer


def validate(request: RunRequest, device: torch.device) -> int:
    """Evaluate a trained run again and write the report."""
    finished = open_finished(request)
    project = open_project(finished.config, finished.folder.path, finished.output)
    _evaluate(project, finished, device)
    return 0


def _evaluate(project: Project[Any, Any], finished: Finished, device: torch.device) -> None:
    results = evaluate(project, finished, device)
    if is_main():
        found = short_lines(diagnose_run(read_run(finished.output)))
        say("\n".join([*found, *summary_lines(results)]))
        say(f"report: {write_report(finished.output)}")
        say("\n".join(next_lines(str(finished.folder.path))))


def ingest(request: RunRequest, _device: torch.device) -> int:
    """Decode every video into the cache and make the tokenizer, as training would do first."""
    config = request.config
    folder = open_for_training(config)
    rehearse(config)
    open_project(config, folder.path)
    say(f"ingested: frames in {config.data.cache}, rejects in {folder.path / 'rejects.csv'}")
    return 0


def features(request: RunRequest, device: torch.device) -> int:
    """Run frozen towers over every clip and report, as training would do first.

    Raises:
        UserError: No tower is frozen, or something random stands before it.
    """
    config = request.config
    folder = open_for_training(config)
    rehearse(config)
    project = open_project(config, folder.path)
    module = project.model()
    found = checkpoint.newest(folder.checkpoints, strict=True)
    if found is not None:
        load_weights(found, module)
    kept = project.ready(module.to(device).eval())
    if not kept:
        raise UserError(
            "features.keep: no tower is frozen whose features can be kept; set "
            "model.video_frozen=all or model.text_frozen=all"
        )
    say(f"kept: the features of {' and '.join(kept)} in {config.data.cache / 'features'}")
    return 0


def estimate(request: RunRequest, _device: torch.device) -> int:
    """Say what a step costs, from shapes alone."""
    # here, because PyTorch's counter of operations loads a compiler
    from cinelex.runners.estimate import estimate_lines

    config, plan = request.config, PROJECTS[request.config.project].plan
    say("\n".join(estimate_lines(config, plan, card=request.card, processes=request.processes)))
    return 0


def profile(request: RunRequest, device: torch.device) -> int:
    """Train a few steps that nobody keeps, and say where a step goes."""
    # here, because it is for one mode alone
    from cinelex.runners.profile import profile_steps

    config = request.config
    folder = config.folder / config.name
    rehearse(config)
    with TemporaryDirectory() as elsewhere:
        # the run itself may have begun or not: nothing of it is read, and no step of it is made
        project = open_project(config, Path(broadcast_json(elsewhere)))
        say("\n".join(profile_steps(project, config, device, folder, steps=request.steps)))
    return 0


def repeat_step(request: RunRequest, device: torch.device) -> int:
    """Make the first step whose gradient was not finite again, and say where that begins.

    Raises:
        UserError: The run has none, or its studies are others now.
    """
    # here, because it is for one mode alone
    from cinelex.runners.repeat import repeat

    finished = open_finished(request)
    bundle = read_bundle(finished.folder.path)
    project = open_project(finished.config, finished.folder.path, finished.output)
    provenance_of(finished.folder, finished.config, data_hash=project.data_hash())
    say("\n".join(repeat(project, finished.config, bundle, device)))
    return 0


def consult(request: RunRequest, device: torch.device) -> int:
    """Say everything that can be known of a run without training it."""
    config = request.config
    begun = has_begun(config.folder / config.name)
    with TemporaryDirectory() as elsewhere:
        # what has not begun leaves no folder behind, so that its config can still change
        fresh = RunFolder(Path(broadcast_json(elsewhere)))
        folder = open_for_training(config) if begun else fresh
        rehearse(config)
        say("\n".join(schedule_lines(config)))
        findings = examine(open_project(config, folder.path), config, folder, device)
        say(summary(findings))
        if begun and is_main():
            say(f"report: {write_report(folder.path)}")
    return SICK if is_sick(findings) and is_main() else 0


def train(request: RunRequest, device: torch.device) -> int:
    """Train, or go on training, then evaluate and write the report."""
    config = request.config
    for finding in diagnose(Evidence(config=config)):
        say(render(finding))
    folder = open_for_training(config)
    with ExitStack() as stack:
        if is_main():
            stack.enter_context(sole_user(folder.path))
        rehearse(config)
        return _train_alone(config, folder, device)


def _train_alone(config: RunConfig, folder: RunFolder, device: torch.device) -> int:
    """Train in a folder that no other run uses."""
    if device.type == "cuda":
        cramped = too_small(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
        if cramped:
            say(f"warning: {cramped}")
    project = open_project(config, folder.path)
    provenance = provenance_of(folder, config, data_hash=project.data_hash())
    say("\n".join(schedule_lines(config)))
    notes: dict[str, str] = {}
    sinks: tuple[Sink, ...] = ()
    tell: Callable[[str, str], None] | None = None
    if config.use_wandb:
        notes["wandb"] = checkpoint.note(folder.checkpoints, "wandb") or token_hex(4)
        service = WandbSink(
            project=os.environ.get("WANDB_PROJECT", "cinelex"),
            name=config.name,
            folder=folder.path,
            run_id=notes["wandb"],
        )
        sinks, tell = (service,), service.alert
    watch = Watch(config, folder.path, tell)
    looked_at = watch.look(project, device)
    trainer = Trainer(
        project,
        config,
        folder=folder.path,
        device=device,
        provenance=provenance,
        sinks=(*sinks, watch),
        probes=probes_of(project, config),
        notes=notes,
        module=looked_at,
    )
    for line in (
        *tower_lines(trainer.module),
        *grid_lines(trainer.module),
        *group_lines(trainer.module, config.optimizer),
    ):
        say(line)
    write_down(folder, config, provenance, trainer.module)
    watch.begin(trainer)
    try:
        finished = trainer.run()
    finally:
        for sink in (*sinks, watch):
            sink.close()
    if not finished:
        # a rank that left earlier would be taken for a failure, and the main one be ended
        barrier()
        say(f"stopped and saved after step {trainer.step}; the same command resumes from there")
        return PREEMPTED if trainer.cause == "preempted" else INTERRUPTED
    if is_main():
        write_csv_log(folder.path / "metrics.jsonl")
    _evaluate(project, Finished(folder=folder, config=config, output=folder.path), device)
    return 0


@dataclass(frozen=True)
class Mode:
    """A run mode that every project has."""

    help: str
    begin: Callable[[RunRequest, torch.device], int]
    """From the request and the device to the exit code."""


MODES = {
    "train": Mode("train or resume training, then evaluate and write the report", train),
    "ingest": Mode("decode every video into the cache, without training", ingest),
    "estimate": Mode("estimate memory and time of a step on --card from shapes alone", estimate),
    "profile": Mode("profile a few steps: a trace, and a table of where the time goes", profile),
    "features": Mode("compute and cache the features of frozen towers", features),
    "validate": Mode("evaluate a trained run again and write the report", validate),
    "repeat": Mode("replay the first step whose gradient was not finite", repeat_step),
    "doctor": Mode("examine config, data, model and log without training", consult),
}
"""The run modes of every project; what else a trained model can be used for, its project says."""
