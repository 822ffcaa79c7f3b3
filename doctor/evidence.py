"""What the rules of the doctor read: a run as far as it has come, all parts optional."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from cinelex.config.schema import RunConfig
from cinelex.doctor.predictions.table import Predictions
from cinelex.projects.interface.results import Results, Score

Row = Mapping[str, Any]
WINDOW = 50
"""Recorded steps over which a level is judged."""
PATIENCE = 200
"""Optimizer steps before which nobody is blamed for having learned nothing, or twice the warm-up
where that is longer."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a run. A rule says nothing where what it reads is not there."""

    config: RunConfig | None = None
    """The resolved config."""
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    """What was known of data, model and optimizer before the first step."""
    steps: Sequence[Row] = ()
    """Records of optimizer steps, in order; a live run may hold the newest only."""
    validations: Sequence[Row] = ()
    """Records of validations, in order."""
    results: Results | None = None
    """The final evaluation."""
    captions: Sequence[Row] = ()
    """``reference`` and ``caption`` of each held-out study."""
    reference: Results | None = None
    """The final evaluation of another run, to compare with."""
    earlier_steps: Sequence[Row] = ()
    """Records of steps that an interrupted run had made and that were made again."""
    table: Predictions | None = None
    """Predictions of any system, beside their manifest."""

    @property
    def last_step(self) -> int:
        """Return the newest recorded optimizer step; 0 before the first."""
        return int(self.steps[-1]["step"]) if self.steps else 0

    @property
    def young(self) -> bool:
        """Whether a run had too little time to be blamed for having learned nothing."""
        warmup = self.config.optimizer.warmup_steps if self.config else 0
        return self.last_step < max(PATIENCE, 2 * warmup)

    def held_out(self, section: str) -> dict[str, Score]:
        """Return the scores of a section of the final evaluation, by their last name."""
        return self.results.below(section) if self.results else {}

    def course(self, key: str) -> list[tuple[int, float]]:
        """Return step and value of one key of the step records, where it is a finite number."""
        return course(self.steps, key)

    def level(self, key: str, *, window: int = WINDOW) -> float | None:
        """Return the median of the newest values of a key; None where there is none."""
        values = [value for _, value in self.course(key)[-window:]]
        return median(values) if values else None

    def newest(self, key: str) -> float | None:
        """Return the newest value of a key; None where there is none."""
        return self.level(key, window=1)

    def terms(self) -> list[str]:
        """Return the names of the loss terms of the newest recorded step."""
        newest = self.steps[-1] if self.steps else {}
        return [key.removeprefix("loss/") for key in newest if key.startswith("loss/")]


def course(rows: Sequence[Row], key: str) -> list[tuple[int, float]]:
    """Return step and value of one key of a record, where it is a finite number."""
    return [
        (int(row["step"]), float(row[key]))
        for row in rows
        if is_number(row.get(key)) and is_number(row.get("step"))
    ]


def is_number(value: object) -> bool:
    """Return whether a recorded value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
