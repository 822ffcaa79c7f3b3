"""What a run writes down: each step once, validations, steps left out, and losses that jump."""

import math
import statistics
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cinelex.config.schema import RunConfig
from cinelex.core.checkpoint import Position
from cinelex.core.console import say
from cinelex.core.distributed import gather_json, is_main
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json
from cinelex.runners.nonfinite import Lost
from cinelex.runners.record import Record, finite_or_none, last_records
from cinelex.runners.sinks import Sink
from cinelex.runners.step import StepReport, one_line

MAX_SKIPPED_IN_A_ROW = 20
"""Non-finite steps after which a run stops: it is not going to recover."""
RECENT_STEPS = 50
"""How many losses a jump is measured by."""
SPIKE = 10.0
"""A loss that is so many times the median of the recent ones is a spike."""


@dataclass(frozen=True)
class Spike:
    """A loss that jumped."""

    step: int
    """Optimizer step, from 1."""
    loss: float
    usual: float
    """Median of the losses before it."""


class Books:
    """Keeps the record and counts; tensors of pending steps stay on the device until `flush`."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        *,
        position: Position,
        sinks: Sequence[Sink],
        on_lost: Callable[[Lost], None] = lambda lost: None,
    ) -> None:
        """Go on with the record where ``position`` stood.

        Args:
            config: The run.
            folder: The run's folder, where ``metrics.jsonl`` is.
            position: Where the run stands.
            sinks: Who gets the numbers besides the record.
            on_lost: Told of each step whose gradient was not finite.
        """
        self.config, self.sinks, self._on_lost = config, sinks, on_lost
        self.path = folder / "metrics.jsonl"
        self._pending: list[tuple[StepReport, Sequence[str]]] = []
        self.best: float | None = None
        self.best_step: int | None = None
        self._go_on_from(position)

    def close(self) -> None:
        """Close the record."""
        self.record.close()

    def add(self, report: StepReport, identities: Sequence[str]) -> None:
        """Take the report of a step; nobody waits for the device."""
        self._pending.append((report, identities))

    def flush(self, speeds: Mapping[str, float]) -> Spike | None:
        """Write the pending steps; waits for the device.

        Args:
            speeds: Over these steps; join the record of the last.

        Returns:
            The first of them whose loss jumped.

        Raises:
            UserError: Too many steps in a row were left out.
        """
        if not self._pending:
            return None
        spikes: list[Spike] = []
        numbers: dict[str, float] = {}
        for report, identities in self._pending:
            numbers = report.numbers()
            if report is self._pending[-1][0]:
                numbers |= speeds
            self.record.write("step", {"step": report.step, **numbers})
            for sink in self.sinks:
                sink.write(report.step, numbers)
            spikes += self._count(report.step, numbers, identities)
        step_s = statistics.fmean(report.step_s for report, _ in self._pending)
        self._pending.clear()
        say(one_line(numbers, step=report.step, steps=self.config.steps, step_s=step_s))
        if self._skipped_in_a_row >= MAX_SKIPPED_IN_A_ROW:
            raise UserError(
                f"{self._skipped_in_a_row} steps in a row up to step {report.step} were left out: "
                "gradients were not finite, or losses jumped; lower optimizer.learning_rate or "
                "set precision=fp32"
            )
        return spikes[0] if spikes else None

    def validated(self, step: int, numbers: Mapping[str, float]) -> bool:
        """Write a validation; return True where it is the best so far.

        Raises:
            UserError: The config wants the best by a number that the validation does not have.
        """
        self.record.write("validation", {"step": step, **numbers})
        for sink in self.sinks:
            sink.write(step, numbers)
        if self.config.keep_best is None:
            return False
        name = self.config.keep_best.removeprefix("-")
        if name not in numbers:
            raise UserError(f"keep_best: {name!r} is none of {', '.join(sorted(numbers))}")
        sign = -1.0 if self.config.keep_best.startswith("-") else 1.0
        if self.best is not None and sign * numbers[name] <= sign * self.best:
            return False
        self.best, self.best_step = numbers[name], step
        return True

    def starting(self, step: int) -> bool:
        """Return whether the fresh model is to be a candidate for the best."""
        wanted = self.config.keep_best is not None and self.config.validate_every > 0
        return wanted and step == 0 and self.best is None

    def over(self, step: int) -> bool:
        """Return whether the last step was made, or no validation has been better for long."""
        config = self.config
        if config.patience is None or self.best_step is None:
            return step >= config.steps
        waited = (step - self.best_step) // max(1, config.validate_every)
        return step >= config.steps or waited >= config.patience

    def position(self, step: int) -> Position:
        """Return where the run stands, with its record on the disk."""
        return Position(step, self.record.position(), self.skipped, self.best, self.best_step)

    def go_back(self, position: Position, left_out: Sequence[Spike]) -> None:
        """Go on with the record where a checkpoint stood, and write down why.

        Args:
            position: Of the checkpoint.
            left_out: Whose samples the run goes on without.
        """
        self.record.close()
        self._go_on_from(position)
        for spike in left_out:
            if spike.step > position.step:
                self.record.write("rolled_back", {"to_step": position.step, **vars(spike)})

    def _go_on_from(self, position: Position) -> None:
        self.record = Record(self.path, keep_bytes=position.records)
        self.skipped = position.skipped
        self.best, self.best_step = position.best, position.best_step
        self._skipped_in_a_row = 0
        self._recent: deque[float] = deque(maxlen=RECENT_STEPS)
        if position.step:
            self._read_back()

    def _count(
        self, step: int, numbers: Mapping[str, float], identities: Sequence[str]
    ) -> list[Spike]:
        """Note what was left out; return what jumped."""
        if numbers["skipped"]:
            self.skipped += 1
            self._skipped_in_a_row += 1
            hashes = [hash_json(identity)[:16] for identity in identities]
            everyone = [item for part in gather_json(hashes) for item in part]
            self.record.write("skipped", {"step": step, "samples": everyone})
            if not math.isfinite(numbers["grad_norm"]):
                self._on_lost(Lost(step=step, numbers=finite_or_none(numbers), samples=everyone))
            return []
        self._skipped_in_a_row = 0
        usual = statistics.median(self._recent) if len(self._recent) == RECENT_STEPS else 0.0
        spike = Spike(step, numbers["loss"], usual)
        self._recent.append(spike.loss)
        if not spike.loss > SPIKE * usual > 0:
            return []
        self.record.write("spike", vars(spike))
        say(f"warning: loss {spike.loss:.4g} at step {step}, usually {usual:.4g}")
        return [spike]

    def _read_back(self) -> None:
        """Know the losses before the checkpoint, so that a resumed run finds the same spikes."""
        if is_main():
            rows = [row for row in last_records(self.path, "step") if not row["skipped"]]
            self._recent.extend(row["loss"] for row in rows[-RECENT_STEPS:])
