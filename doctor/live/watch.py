"""The doctor beside a run: diagnostics before the first step, probes and rules while it trains."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cinelex.config.schema import RunConfig
from cinelex.core import checkpoint
from cinelex.core.console import say
from cinelex.core.distributed import broadcast_json, is_main
from cinelex.core.files import read_json, write_json
from cinelex.doctor.alerts import alert, through_wandb
from cinelex.doctor.check import diagnose
from cinelex.doctor.evidence import Evidence, Row
from cinelex.doctor.finding import Finding, render
from cinelex.doctor.live.diagnostics import fresh_diagnostics, fresh_model, group_diagnostics
from cinelex.doctor.live.embeddings import EmbeddingProbe
from cinelex.doctor.live.gradients import GradientProbe
from cinelex.doctor.live.layers import LayerProbe
from cinelex.doctor.live.stragglers import StragglerProbe
from cinelex.doctor.live.weight_decay import WeightDecayProbe
from cinelex.doctor.rules.at_chance import early_step
from cinelex.doctor.run_files import DOCTOR, read_steps
from cinelex.projects.interface.project import Project
from cinelex.runners.parallel import spreads
from cinelex.runners.probe import Probe
from cinelex.runners.train import Trainer

KEPT_STEPS = 1000
"""Newest steps that a live run is judged by; more where probes are rare."""
JUDGED_EVERY = 50
"""Steps between two readings of the rules."""
EMBEDDINGS_EVERY = 5
"""Looks at gradients for one look at embeddings, which costs a forward pass."""


def probes_of(project: Project[Any, Any], config: RunConfig) -> tuple[Probe, ...]:
    """Return what looks at a run's updates, as often as the config says."""
    every = config.probe_every
    if spreads(config.parallel):
        # a rank has a share of each parameter and of each moment, and no part that it can call
        if every:
            say(
                "parallel=fsdp: the doctor leaves out gradients, weight decay and embeddings, "
                "which it reads from a whole model"
            )
        return ()
    return (
        GradientProbe(every=every),
        WeightDecayProbe(every=every),
        LayerProbe(every=every),
        StragglerProbe(every=every),
        EmbeddingProbe(project, every=EMBEDDINGS_EVERY * every, units=config.compile is None),
    )


class Watch:
    """A sink that reads the rules now and then, and says each finding once."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        tell: Callable[[str, str], None] | None = None,
    ) -> None:
        """Remember what an interrupted run left, before the trainer takes it back.

        Args:
            config: The run.
            folder: Its folder.
            tell: Takes title and text of an alert, where a service that has the run can send it.
        """
        self.config, self.folder, self._tell = config, folder, tell
        self.diagnostics: dict[str, Any] = {}
        self._before = read_steps(folder)
        self._validated = read_steps(folder, kind="validation")
        self._first: Row | None = None
        self._steps: deque[Row] = deque(maxlen=max(KEPT_STEPS, 60 * config.probe_every))
        self._said: set[tuple[str, str, str]] = set()
        self._earlier: list[Row] = []
        # all ranks look, or none
        self._fresh: bool = broadcast_json(
            not (checkpoint.steps_saved(folder / "checkpoints") and (folder / DOCTOR).exists())
        )

    def look(self, project: Project[Any, Any], device: torch.device) -> nn.Module | None:
        """Gather the diagnostics of a fresh run, before it begins.

        Returns:
            The model that was looked at, as it was built, for the trainer to train; None where
            nothing was looked at, or where its blocks now run twice.

        Raises:
            UserError: The model does not fit into the memory of the device.
        """
        if not self._fresh or not self.config.examine:
            return None
        module = fresh_model(project, self.config, device)
        began = time.monotonic()
        say(
            "the doctor looks at the data, and runs a few samples through the fresh model, before "
            "the first step; examine=false begins at once"
        )
        self.diagnostics = fresh_diagnostics(project, module, self.config, device)
        say(f"the doctor took {time.monotonic() - began:.1f} s")
        return None if self.config.activation_checkpointing else module

    def begin(self, trainer: Trainer[Any]) -> None:
        """Add what the trainer itself says, or recall a resumed run's diagnostics; judge them."""
        if self._fresh:
            self.diagnostics |= group_diagnostics(trainer.module, trainer.optimizer)
        else:
            self.diagnostics = read_json(self.folder / DOCTOR)["diagnostics"]
        made = [row for row in self._before if row["step"] <= trainer.step]
        self._first = next(iter(made), None)
        self._steps.extend(made)
        self._earlier = [row for row in self._before if row["step"] > trainer.step]
        self._validated = [row for row in self._validated if row["step"] <= trainer.step]
        self._judge()

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Take the numbers of a step or of a validation, and judge them when it is time."""
        if "loss" not in numbers:
            self._validated = [row for row in self._validated if row["step"] < step]
            self._validated.append({"step": step, **numbers})
            self._judge()
            return
        # a run that was rolled back makes these steps again
        while self._steps and self._steps[-1]["step"] >= step:
            self._steps.pop()
        self._steps.append({"step": step, **numbers})
        if self._first is None or self._first["step"] >= step:
            self._first = next(iter(self._steps), None)
        if step % JUDGED_EVERY == 0 or step == early_step(self.config):
            self._judge()

    def close(self) -> None:
        """Judge what has come since."""
        self._judge()

    def _judge(self) -> None:
        findings = diagnose(
            Evidence(
                config=self.config,
                diagnostics=self.diagnostics,
                steps=self.known_steps(),
                validations=self._validated,
                earlier_steps=self._earlier,
            )
        )
        new = []
        for finding in findings:
            name = (finding.rule, finding.key, finding.cause)
            if name not in self._said:
                self._said.add(name)
                new.append(finding)
                say(render(finding))
        alert(self.config.name, new)
        if self._tell is not None:
            through_wandb(self._tell, new)
        keep(self.folder, diagnostics=self.diagnostics, findings=findings)

    def known_steps(self) -> list[Row]:
        """Return the newest steps behind the first, which shows the fresh model."""
        newest = list(self._steps)
        if self._first is None or not newest or newest[0]["step"] <= self._first["step"]:
            return newest
        return [self._first, *newest]


def keep(folder: Path, *, diagnostics: Mapping[str, Any], findings: list[Finding]) -> None:
    """Write ``doctor.json``; the main rank alone does."""
    if is_main():
        rows = [vars(finding) for finding in findings]
        write_json(folder / DOCTOR, {"diagnostics": dict(diagnostics), "findings": rows})
