"""``--run_mode doctor``: everything that can be known of a run without training it."""

from dataclasses import replace
from typing import Any

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import world_size
from cinelex.core.progress import progress
from cinelex.doctor.check import diagnose
from cinelex.doctor.finding import Finding
from cinelex.doctor.live.diagnostics import fresh_diagnostics, fresh_model
from cinelex.doctor.live.self_tests import (
    bf16_diagnostics,
    micro_batch_diagnostics,
    rank_diagnostics,
    resume_diagnostics,
)
from cinelex.doctor.live.watch import keep
from cinelex.doctor.run_files import read_run
from cinelex.projects.interface.project import Project
from cinelex.runners.run_folder import RunFolder


def examine(
    project: Project[Any, Any], config: RunConfig, folder: RunFolder, device: torch.device
) -> list[Finding]:
    """Return the findings on config, data, fresh model and whatever the run has recorded so far.

    The self-tests take five steps of the model in this process and one on two processes; nothing
    is trained and no checkpoint or record of the run is touched.
    """
    module = fresh_model(project, config, device)
    diagnostics = fresh_diagnostics(project, module, config, device)
    del module  # the tests build their own
    if not diagnostics["terms/without_gradient"]:  # with such a term no step can be made
        diagnostics |= self_tests(project, config, device)
    recorded = read_run(folder.path).evidence()
    findings = diagnose(replace(recorded, config=config, diagnostics=diagnostics))
    keep(folder.path, diagnostics=diagnostics, findings=findings)
    return findings


def self_tests(
    project: Project[Any, Any], config: RunConfig, device: torch.device
) -> dict[str, float]:
    """Return what trying the promises of a project shows."""
    say("trying a resumed step and, in one process, bf16, two micro-batches and two processes")
    tests = [lambda: resume_diagnostics(project, config, device)]
    if world_size() == 1:  # several would each start two more
        tests.append(lambda: bf16_diagnostics(project, config))
    if world_size() == 1 and config.batch > 1:  # and one sample cannot be shared out
        tests.append(lambda: micro_batch_diagnostics(project, config))
        tests.append(lambda: rank_diagnostics(project, config))
    found: dict[str, float] = {}
    for test in progress(tests, total=len(tests), what="self-tests"):
        found |= test()
    return found
