"""The training loop. There is one."""

import time
from contextlib import closing
from pathlib import Path
from typing import Generic

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_

from config.schema import RunConfig
from core.console import say
from core.distributed import world_size
from core.errors import UserError
from losses.weighted_sum import WeightedSum
from projects.base import BatchT, Project
from runners import checkpoint
from runners.interruption import Interruption
from runners.optimizer import build_optimizer, set_learning_rate
from runners.record import Record
from runners.sinks import Sink
from runners.step import StepReport, one_line

MOST_SKIPPED_IN_A_ROW = 20
"""Non-finite steps after which a run stops: it is not going to recover."""


class Trainer(Generic[BatchT]):
    """Drive a project from its first update, or from its last checkpoint, to its last update."""

    def __init__(
        self,
        project: Project[BatchT],
        config: RunConfig,
        *,
        folder: Path,
        device: torch.device,
        provenance: dict[str, str],
        sinks: tuple[Sink, ...] = (),
    ) -> None:
        """Build the model and its optimizer, and go back to the newest checkpoint if there is one.

        Args:
            project: What to train.
            config: How.
            folder: The run's folder.
            device: Where.
            provenance: Hashes of config, data and code, kept in every checkpoint.
            sinks: Who gets each step's scalars besides the record.
        """
        self.project, self.config, self.device = project, config, device
        self.provenance, self.sinks = provenance, sinks
        self.checkpoints = folder / "checkpoints"
        self.module = project.model().to(device)
        self.model = _distributed(self.module, device)
        self.optimizer = build_optimizer(self.module, config.optimizer)
        found = checkpoint.newest(self.checkpoints)
        if found is None:
            self.position = checkpoint.Position(step=0, records=0, skipped=0)
        else:
            self.position, _ = checkpoint.restore(
                found, model=self.module, optimizer=self.optimizer
            )
            say(f"resuming after step {self.position.step} of {config.steps} ({found})")
        self.step, self.skipped = self.position.step, self.position.skipped
        self.record = Record(folder / "metrics.jsonl", keep_bytes=self.position.records)
        self._pending: list[StepReport] = []
        self._skipped_in_a_row = 0
        self._clock = time.monotonic()

    def run(self) -> bool:
        """Make the updates that are left; return False if a signal ended the run early."""
        self.model.train()
        self._clock = time.monotonic()
        with closing(self.record), Interruption() as interruption:
            if self.step >= self.config.steps:
                return True
            for batch in self.project.batches(self.step):
                self._pending.append(self.update(batch))
                stop = interruption.requested()
                self._keep_books(stop)
                if stop or self.step == self.config.steps:
                    break
        return self.step == self.config.steps

    def update(self, batch: BatchT) -> StepReport:
        """Make one optimizer update."""
        context = {
            **self.project.chances(batch),
            **self.project.prepare_step(self.module, self.step),
        }
        batch = batch.to(self.device)
        context["learning_rate"] = set_learning_rate(
            self.optimizer, self.config.optimizer, step=self.step, steps=self.config.steps
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half()):
            terms = self.project.terms(self.model, batch)
        weights = self.project.weights(self.step)
        loss = WeightedSum(weights)(terms)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        grad_norm = clip_grad_norm_(self.module.parameters(), self.config.max_grad_norm)
        skipped = self._step_if_finite(grad_norm)
        self.step += 1
        context |= {f"weight/{name}": weight for name, weight in weights.items()}
        now = time.monotonic()
        self._clock, step_s = now, now - self._clock
        detached = {name: term.detach() for name, term in terms.items()}
        return StepReport(self.step, loss.detach(), detached, grad_norm, skipped, context, step_s)

    def _step_if_finite(self, grad_norm: Tensor) -> Tensor:
        """Update the weights unless a gradient is not finite; gradients are equal on all ranks."""
        skipped = (~torch.isfinite(grad_norm)).float()
        # the fused update reads this and leaves weights and moments alone, without a device sync
        self.optimizer.found_inf = skipped  # type: ignore[attr-defined]
        self.optimizer.step()
        return skipped

    def _half(self) -> bool:
        wish = self.config.precision
        able = self.device.type == "cuda" and torch.cuda.is_bf16_supported()
        return wish == "bf16" or (wish == "auto" and able)

    def _keep_books(self, stop: bool) -> None:
        """Write the record, look at held-out studies and save, where this step is due."""
        config, last = self.config, stop or self.step == self.config.steps
        validating = bool(config.validate_every) and self.step % config.validate_every == 0
        saving = last or self.step % config.checkpoint_every == 0
        if saving or validating or self.step % config.log_every == 0 or self.step == 1:
            self._flush()
        if validating:
            self._validate()
        if saving:
            self._save()

    def _flush(self) -> None:
        numbers: dict[str, float] = {}
        for report in self._pending:
            numbers = report.numbers()
            numbers |= self.project.floors(numbers)
            self._skipped_in_a_row = self._skipped_in_a_row + 1 if numbers["skipped"] else 0
            self.skipped += int(numbers["skipped"])
            self.record.write("step", {"step": report.step, **numbers})
            for sink in self.sinks:
                sink.write(report.step, numbers)
        self._pending.clear()
        say(one_line(numbers, step=self.step, steps=self.config.steps))
        if self._skipped_in_a_row >= MOST_SKIPPED_IN_A_ROW:
            raise UserError(
                f"{self._skipped_in_a_row} steps in a row up to step {self.step} had gradients "
                "that are not finite; lower optimizer.learning_rate or set precision=fp32"
            )

    def _validate(self) -> None:
        self.model.eval()
        numbers = self.project.validate(self.module)
        self.model.train()
        self.record.write("validation", {"step": self.step, **numbers})
        for sink in self.sinks:
            sink.write(self.step, numbers)

    def _save(self) -> None:
        path = checkpoint.save(
            self.checkpoints,
            model=self.module,
            optimizer=self.optimizer,
            position=checkpoint.Position(self.step, self.record.position(), self.skipped),
            provenance=self.provenance,
            keep=self.config.keep_checkpoints,
        )
        say(f"saved {path}")


def _distributed(module: nn.Module, device: torch.device) -> nn.Module:
    if world_size() == 1:
        return module
    devices = [device] if device.type == "cuda" else None
    return DistributedDataParallel(module, device_ids=devices, gradient_as_bucket_view=True)
