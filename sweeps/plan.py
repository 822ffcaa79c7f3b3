"""A sweep file in W&B's own format, read and checked as far as it can be without a config."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, model_validator

from cinelex.config.load import explain
from cinelex.config.strict import Count, Strict
from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.projects.interface.terms import Better
from cinelex.sweeps.distributions import Distribution
from cinelex.sweeps.parameters import Parameter, flat

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

    @property
    def better(self) -> Better:
        """Return which way is better, as scores say it."""
        return "higher" if self.goal == "maximize" else "lower"


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


class Plan(Strict):
    """A sweep file."""

    method: Literal["grid", "random", "bayes"]
    """How the next values are chosen."""
    parameters: Annotated[dict[str, Parameter], BeforeValidator(flat)]
    """What each dotted key of the config may become."""
    metric: Metric
    """What the sweep looks for."""
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
    _source: str = PrivateAttr("")

    @property
    def source(self) -> str:
        """Return the path of the file."""
        return self._source

    @cached_property
    def distributions(self) -> Mapping[str, Distribution]:
        """Return the distribution of every key."""
        return {key: parameter.law() for key, parameter in self.parameters.items()}

    @property
    def swept(self) -> Mapping[str, Distribution]:
        """Return those of the keys that can have more than one value."""
        return {key: one for key, one in self.distributions.items() if not one.is_constant}

    @model_validator(mode="after")
    def check_swept(self) -> Self:
        """Refuse a file that sweeps nothing, and a grid without end."""
        if not self.swept:
            raise ValueError("no parameter has more than one value, so nothing is swept")
        endless = [key for key, one in self.distributions.items() if not one.grid()]
        if self.method == "grid" and endless:
            raise ValueError(
                f"parameters.{endless[0]} is a continuum, which no grid can hold; give values:, "
                "or q_uniform with q, or choose method: random"
            )
        return self

    @model_validator(mode="after")
    def check_command(self) -> Self:
        """Refuse a command that would run every trial with the same values, and other programs."""
        if self.program is not None and self.program.removeprefix("./") not in PROGRAMS:
            raise ValueError(
                f"program {self.program!r} is not run; a trial is always {PROGRAMS[0]}"
            )
        if self.command is not None and PASSES_ARGUMENTS not in self.command:
            other = [word for word in self.command if word in OTHER_ARGUMENTS]
            found = f"it has {other[0]}, which is not read" if other else "it has none"
            raise ValueError(
                "command does not pass the arguments, so that every trial would be the same run "
                f"({found}); add {PASSES_ARGUMENTS}, or leave command out"
            )
        return self


def read_plan(path: Path) -> Plan:
    """Return the plan in a sweep file.

    Raises:
        UserError: One line that names the file and line, the key, what was expected and found.
    """
    document = read_yaml(path, dotted_keys=True)
    try:
        plan = Plan.model_validate(document.data)
    except ValidationError as error:
        raise UserError(explain(error, document, str(path), Plan)) from None
    plan._source = str(path)
    return plan
