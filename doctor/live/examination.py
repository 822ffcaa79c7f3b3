"""``--run_mode doctor``: everything that can be known of a run without training it."""

from typing import Any

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main
from cinelex.doctor.check import diagnose
from cinelex.doctor.finding import Finding, render
from cinelex.doctor.live.diagnostics import fresh_diagnostics
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
    diagnostics = fresh_diagnostics(project, config, device)
    say("trying two processes, a batch in parts, half precision, and a resumed step")
    diagnostics |= resume_diagnostics(project, config, device)
    diagnostics |= micro_batch_diagnostics(project, config)
    diagnostics |= bf16_diagnostics(project, config)
    diagnostics |= rank_diagnostics(project, config)
    findings = diagnose(read_run(folder.path).evidence(config=config, diagnostics=diagnostics))
    keep(folder.path, diagnostics=diagnostics, findings=findings)
    return findings


def summary(findings: list[Finding]) -> str:
    """Return every finding as a paragraph, worst first, or that there is none."""
    return "\n\n".join(render(finding) for finding in findings) or "the doctor finds nothing"


def sick(findings: list[Finding]) -> bool:
    """Return whether a finding says that the run cannot do what it is for."""
    return any(finding.severity == "error" for finding in findings) and is_main()
