"""A sweep file in W&B's own format, read and checked as far as it can be without a config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from cinelex.config.strict import Count, Strict
from cinelex.config.strict_yaml import Document, read_yaml
from cinelex.core.errors import UserError
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.parameters import read_parameters

PASSES_ARGUMENTS = "${args_no_hyphens}"
"""How W&B writes ``key=value`` for every swept key, which is what the program here takes."""
OTHER_ARGUMENTS = ("${args}", "${args_json}", "${args_json_file}", "${args_append_hydra}")
PROGRAMS = ("scripts/main.py", "scripts/runner.sh")


class Metric(Strict):
    """What a sweep looks for."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,200}$")]
    """Path of a number in the validation record or in the results."""
    goal: Literal["minimize", "maximize"] = "minimize"
    """Which way is better; W&B's default."""


class EarlyTerminate(Strict):
    """When a trial that does badly is ended before its last step."""

    type: Literal["hyperband"]
    """Successive halving in several brackets."""
    min_iter: Count = 1
    """Validations before the first halving."""
    max_iter: Count | None = None
    """Validations of a whole trial; None takes what the config makes of it."""
    eta: Annotated[float, Field(gt=1.0)] = 3
    """One of ``eta`` trials goes on at each halving."""
    s: Count | None = None
    """W&B's number of halvings under ``max_iter``; decided here by ``min_iter``."""
    strict: bool = False
    """W&B's stricter halving; its server knows the difference, Optuna does not."""


class SweepFile(Strict):
    """The keys of a sweep file."""

    method: Literal["grid", "random", "bayes"]
    """How the next values are chosen."""
    parameters: dict[str, Any]
    """The swept keys."""
    metric: Metric | None = None
    """What the sweep looks for; only ``grid`` and ``random`` can go without."""
    early_terminate: EarlyTerminate | None = None
    """When to end a trial early."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None
    """The sweep's folder, and its name on the server."""
    description: str | None = None
    """For people."""
    project: str | None = None
    """W&B's project."""
    entity: str | None = None
    """W&B's user or team."""
    run_cap: Count | None = None
    """Most trials."""
    program: str | None = None
    """What W&B's own agent would run; here it is always the same."""
    command: list[str] | None = None
    """How W&B's own agent would run it; never executed here, but it must pass the arguments."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A sweep file, checked."""

    source: str
    """Path of the file."""
    file: SweepFile
    metric: Metric
    parameters: Mapping[str, Distribution]
    """Dotted keys of the config, and what each may become."""

    @property
    def swept(self) -> Sequence[str]:
        """Return the keys that can have more than one value."""
        return [key for key, one in self.parameters.items() if not one.is_constant]


def read_plan(path: Path) -> Plan:
    """Return the plan in a sweep file.

    Raises:
        UserError: One line that names the file and line, the key, what was expected and found.
    """
    document = read_yaml(path, dotted_keys=True)
    try:
        file = SweepFile.model_validate(document.data)
    except ValidationError as error:
        raise UserError(_explain(error, document, str(path))) from None
    if file.metric is None:
        raise UserError(
            f"{path}: metric is missing; say which number to look for, for instance "
            "metric: {name: retrieval/study_to_report/recall_at_1, goal: maximize}"
        )
    parameters = read_parameters(file.parameters, source=str(path))
    plan = Plan(source=str(path), file=file, metric=file.metric, parameters=parameters)
    if not plan.swept:
        raise UserError(f"{path}: no parameter has more than one value, so nothing is swept")
    _check_command(file, path)
    endless = [key for key, one in parameters.items() if one.grid() is None]
    if file.method == "grid" and endless:
        raise UserError(
            f"{path}: parameters.{endless[0]} is a continuum, which no grid can hold; "
            "give values:, or q_uniform with q, or choose method: random"
        )
    return plan


def _explain(error: ValidationError, document: Document, path: str) -> str:
    problem = error.errors(include_url=False)[0]
    keys = tuple(str(part) for part in problem["loc"])
    above = [keys[:end] for end in range(len(keys), 0, -1)]
    where = next((document.origins[one] for one in above if one in document.origins), path)
    if problem["type"] == "extra_forbidden":
        known = ", ".join(SweepFile.model_fields)
        return f"{where}: unknown key {'.'.join(keys)!r} of a sweep file; there are {known}"
    return f"{where}: {'.'.join(keys)}: {problem['msg']}"


def _check_command(file: SweepFile, source: Path) -> None:
    """Refuse a command that would run every trial with the same values, and other programs."""
    if file.program is not None and file.program.removeprefix("./") not in PROGRAMS:
        raise UserError(
            f"{source}: program {file.program!r} is not run; a trial is always {PROGRAMS[0]}"
        )
    if file.command is None or PASSES_ARGUMENTS in file.command:
        return
    other = [word for word in file.command if word in OTHER_ARGUMENTS]
    found = f"it has {other[0]}, which the program does not read" if other else "it has none"
    raise UserError(
        f"{source}: command does not pass the arguments, so that every trial would be the same "
        f"run ({found}); add {PASSES_ARGUMENTS}, or leave command out"
    )
