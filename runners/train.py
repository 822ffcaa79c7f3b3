"""The training loop. There is one."""

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Generic

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.profiler import record_function

from cinelex.config.schema import RunConfig
from cinelex.core import checkpoint
from cinelex.core.console import say
from cinelex.core.distributed import barrier, broadcast_json
from cinelex.core.sharding import whole
from cinelex.projects.interface.project import BatchT, Project
from cinelex.runners.balancing import Balancer
from cinelex.runners.bookkeeping import Books, Spike
from cinelex.runners.checksum import refuse_drift
from cinelex.runners.ema import Ema
from cinelex.runners.feed import fed
from cinelex.runners.gradients import Gradients
from cinelex.runners.hardware import fitting, uses_bf16
from cinelex.runners.interruption import Cause, Interruption
from cinelex.runners.meter import Meter
from cinelex.runners.nonfinite import LostStep
from cinelex.runners.optimizer import build_optimizer, drop_early_gradients, set_learning_rate
from cinelex.runners.parallel import prepared
from cinelex.runners.probe import Probe, due, looking
from cinelex.runners.restore import restore
from cinelex.runners.saver import Saver
from cinelex.runners.sinks import Sink
from cinelex.runners.snapshot import Snapshots, seed_dropout
from cinelex.runners.step import StepReport
from cinelex.runners.validated import Validated
from cinelex.runners.watchdog import Watchdog


class Trainer(Generic[BatchT]):
    """Drive a project from its first update, or from its last checkpoint, to its last update."""

    def __init__(
        self,
        project: Project[BatchT, Any],
        config: RunConfig,
        *,
        folder: Path,
        device: torch.device,
        provenance: dict[str, str],
        sinks: tuple[Sink, ...] = (),
        probes: tuple[Probe, ...] = (),
        notes: Mapping[str, str] | None = None,
        module: nn.Module | None = None,
    ) -> None:
        """Build the model and its optimizer, and go back to the newest checkpoint if there is one.

        Args:
            project: What to train.
            config: How.
            folder: The run's folder.
            device: Where.
            provenance: Hashes of config, data and code, kept in every checkpoint.
            sinks: Who gets each step's scalars besides the record.
            probes: Who looks at updates and adds to their record.
            notes: What else every checkpoint keeps.
            module: The project's fresh model, ready, where it was built already.
        """
        self.project, self.config, self.device, self.folder = project, config, device, folder
        self.provenance, self.notes, self.probes = provenance, dict(notes or {}), probes
        self.module: nn.Module = module or project.model()
        bf16 = uses_bf16(config, device)
        self._validated = Validated(self.module, config, device)
        self.model = prepared(self.module, config, device, bf16=bf16)
        self.balancer = Balancer(config, self.module, device, terms=tuple(project.weights(0)))
        self.gradients = Gradients(
            project=project,
            model=self.model,
            device=device,
            bf16=bf16,
            micro_batches=config.gradient_accumulation_steps,
            balancer=self.balancer,
        )
        self.optimizer = build_optimizer(self.module, config.optimizer, self.balancer.balance)
        self.ema = Ema(self.module, decay=decay) if (decay := config.ema_decay) else None
        moved = (self.module, self.optimizer, self.ema, self.balancer.balance)
        self.snapshots = Snapshots(*moved, keep_frozen=config.checkpoint_frozen)
        self.meter, self.checkpoints = Meter(config, device), folder / "checkpoints"
        self.saver = Saver(self.checkpoints, keep=config.keep_checkpoints)
        seed_dropout(config.seed)
        self._restore()
        project.ready(self.module)
        self.cause: Cause | None = None
        keep = LostStep(folder, self.saver, device)
        self.books = Books(config, folder, position=self.position, sinks=sinks, on_lost=keep)
        self._left_out: dict[int, Spike] = {}
        self._waited_s, self._clock = 0.0, time.monotonic()

    def run(self) -> bool:
        """Make the updates that are left and save; return False if a signal asked to leave then."""
        self.model.train()
        watchdog = Watchdog(
            self.folder,
            limit_s=self.config.hang_limit_s,
            last_checkpoint=lambda: str(self.saver.last or "none"),
        )
        with closing(self.books), Interruption() as interruption:
            with self.saver, watchdog:
                if (self.books.starting(self.step) and self._validate()) or not self.config.steps:
                    self.save()
                while not self.books.over(self.step) and self.cause is None:
                    self._go_on(watchdog, interruption)
            barrier()  # the main rank may have waited long for its disk
            self.cause = interruption.requested()  # perhaps during the last save
        return self.cause is None

    def _go_on(self, watchdog: Watchdog, interruption: Interruption) -> None:
        """Make updates until the last one, a signal, or a return to a checkpoint."""
        asked = self._clock = time.monotonic()
        for given in fed(self.project.batches(self.step), self.device):
            self._waited_s = time.monotonic() - asked
            report = self.update(given.batch, given.on_device)
            self.books.add(report, self.project.identities(given.batch))
            watchdog.beat(self.step)
            self.cause = interruption.requested()
            rolled_back = self._after_update(stop=self.cause is not None)
            if rolled_back or self.cause or self.books.over(self.step):
                return
            asked = time.monotonic()

    def update(self, batch: BatchT, on_device: BatchT | None = None) -> StepReport:
        """Make one optimizer update.

        Args:
            batch: On the CPU.
            on_device: The same on the device; None copies it.

        Raises:
            UserError: The batch does not fit into the memory of the device.
        """
        nulls = self.project.nulls(batch)
        context = {**self.project.prepare_step(self.module, self.step)}
        context["wait_ms"] = 1000 * self._waited_s
        context["learning_rate"] = set_learning_rate(
            self.optimizer, self.config.optimizer, step=self.step, steps=self.config.steps
        )
        weights, probes = self.project.weights(self.step), due(self.probes, self.step + 1)
        self.optimizer.zero_grad(set_to_none=True)
        look = self.meter.without(looking(probes, self.module, context))
        metered = self.meter.step(self.project.counts(batch), waited_s=self._waited_s)
        with fitting(self.config, self.device), metered:
            loss, terms = self.gradients.of(on_device or batch, weights, look=look)
        context |= self.project.statistics()
        self.balancer.before_update()
        drop_early_gradients(self.optimizer, step=self.step)
        with record_function("step: clip"):
            grad_norm = whole(clip_grad_norm_(self.module.parameters(), self.config.max_grad_norm))
        with record_function("step: optimizer"):
            skipped = self._step_if_finite(grad_norm)
        self.step += 1
        for probe in probes:
            context |= probe.after_update(self.module, self.optimizer)
        context |= self.balancer.after_update(self.step, skipped, context)
        now = time.monotonic()
        self._clock, step_s = now, now - self._clock
        return StepReport(self.step, loss, terms, grad_norm, skipped, context, nulls, step_s)

    def _step_if_finite(self, grad_norm: Tensor) -> Tensor:
        """Update the weights unless a gradient is not finite; gradients are equal on all ranks.

        A step whose loss jumped before the run was rolled back is left out too.
        """
        skipped = (~torch.isfinite(grad_norm) | (self.step + 1 in self._left_out)).float()
        # the fused update reads this and leaves weights and moments alone, without a device sync
        self.optimizer.found_inf = skipped  # type: ignore[attr-defined]
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update(skipped)
        return skipped

    def _after_update(self, *, stop: bool) -> bool:
        """Write the record, look at held-out studies, compare the ranks, save: what is due.

        Returns:
            True where a loss jumped and the run went back to a checkpoint instead.
        """
        config, last = self.config, stop or self.step == self.config.steps
        validating = bool(config.validate_every) and self.step % config.validate_every == 0
        saving = last or self.step % config.checkpoint_every == 0
        if saving or validating or self.step % config.log_every == 0 or self.step == 1:
            spike = self.books.flush(self.meter.take())
            if config.on_spike == "roll_back" and self._roll_back(spike):
                return True
        saving |= validating and (self._validate() or self.books.over(self.step))
        comparing = config.checksum_every and self.step % config.checksum_every == 0
        if comparing and config.parallel == "ddp":
            refuse_drift(self.module, step=self.step)
        if saving:
            self.save()
        if saving or validating or comparing:
            self.meter.restart()
        return False

    def _restore(self) -> None:
        """Go back to the newest checkpoint, if there is one."""
        self.position, self.saver.last = restore(
            self.checkpoints,
            model=self.module,
            optimizer=self.optimizer,
            ema=self.ema,
            balance=self.balancer.balance,
            strict=self.config.strict_resume,
            skip=self.config.resume_skip,
        )
        self.step = self.position.step
        if self.saver.last:
            say(f"resuming after step {self.step} of {self.config.steps} ({self.saver.last})")

    def _roll_back(self, spike: Spike | None) -> bool:
        """Return to the checkpoint before a loss that jumped, if there are both; all ranks do.

        Nothing is saved between a jump and the flush that finds it, so the newest is before it. A
        run that is killed on its way finds the same jump again, and goes the same way.
        """
        if (found := broadcast_json(None if spike is None else vars(spike))) is None:
            return False
        spike = Spike(**found)
        self.saver.wait()
        if not broadcast_json(checkpoint.steps_saved(self.checkpoints)):
            say(f"warning: no checkpoint before step {spike.step} yet; training continues")
            return False
        say(f"going back to the newest checkpoint, then skipping the samples of step {spike.step}")
        self._left_out[spike.step] = spike
        self._restore()
        self.books.go_back(self.position, list(self._left_out.values()))
        return True

    def _validate(self) -> bool:
        numbers = self._validated.by(self.project.validate, self.ema)
        self.model.train()
        return bool(numbers) and self.books.validated(self.step, numbers)

    def save(self) -> None:
        """Begin to write a checkpoint of this step, when the one before has been written."""
        self.saver.wait()
        barrier()  # on a slow disk the main rank comes late
        at, notes = self.books.position(self.step), self.notes
        self.saver.start(self.snapshots.take(at, provenance=self.provenance, notes=notes))
