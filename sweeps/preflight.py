"""What is refused before the first trial, because it would make the whole sweep worthless."""

import subprocess
from collections.abc import Mapping, Sequence

import optuna
from pydantic import JsonValue

from cinelex.config.load import load_config
from cinelex.config.nearest import nearest_key, valid_keys
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.doctor.finding import render
from cinelex.doctor.rules.rule import Measured
from cinelex.doctor.rules.swept_keys import UNREAD_KEY
from cinelex.projects import check_project, weight_keys
from cinelex.sweeps.distributions import Distribution, draw
from cinelex.sweeps.objectives import plain_name, refuse_dependent, refuse_unknown
from cinelex.sweeps.plan import Plan
from cinelex.sweeps.probe import Probed, read_answer
from cinelex.sweeps.samplers import validations_of
from cinelex.sweeps.settings import BASE_FILE, Settings, Sweep
from cinelex.sweeps.slots import Slot
from cinelex.sweeps.task import Task, expected_config, flat, overrides
from cinelex.sweeps.training import command
from cinelex.sweeps.watched import was_read

DECIDED_BY_THE_SWEEP = (
    "name",
    "folder",
    "project",
    "seed",
    "device",
    "threads",
    "gradient_accumulation_steps",
    "use_wandb",
    "log_every",
    "probe_every",
    "validate_every",
    "checkpoint_every",
    "keep_checkpoints",
    "evaluation",
    "data.cache",
    "data.workers",
    "data.manifest",
    "data.inference_manifest",
    "data.train_split",
    "data.validation_split",
    "data.test_split",
)
"""Keys and sections that must be the same in all trials, or that change no number of a run."""
COMBINATIONS = 40
"""Random configurations that the schema has to accept."""
PROBES = 4
"""Configurations of which one step is made, at most, to see every swept key read."""


def check_file(plan: Plan, settings: Settings, project: str) -> None:
    """Refuse what a sweep file and a command line show by themselves.

    Raises:
        UserError: What is wrong, and what to do.
    """
    _check_keys(plan)
    for metric in settings.metrics:
        refuse_dependent(metric, plan.swept, project)
    if len(settings.metrics) > 1:
        if settings.pruner != "none":
            raise UserError(
                "with several objectives no trial can be ended early, because none is worst in "
                "all of them; leave early_terminate out, or set --pruner none"
            )
        if settings.sampler == "cmaes":
            raise UserError("CMA-ES looks for one objective; choose --sampler tpe for several")


def check_values(sweep: Sweep) -> None:
    """Refuse values that the schema refuses, alone or together, and a sweep that cannot prune.

    Raises:
        UserError: The key and the end of its range, or the combination, and the schema's reason.
    """
    plan, name = sweep.plan, sweep.settings.metrics[0].name
    lowest = {key: parameter.ends()[0] for key, parameter in plan.parameters.items()}
    for key in plan.swept:
        for end in plan.parameters[key].ends():
            _check_values(sweep, {**lowest, key: end}, f"{key} = {end!r}")
    for values in combinations(plan.parameters, COMBINATIONS):
        told = ", ".join(f"{key} = {values[key]!r}" for key in plan.swept)
        _check_values(sweep, values, f"the combination {told}")
    if sweep.settings.pruner != "none" and validations_of(sweep) < 2:
        raise UserError(
            f"trials are to be ended early, but a run has {validations_of(sweep)} validations of "
            f"{name}; set validate_every to a small share of steps ({sweep.base.steps})"
        )
    every, steps = sweep.base.validate_every, sweep.base.steps
    if not sweep.settings.validation_results and (every == 0 or steps % every):
        raise UserError(
            f"validate_every: trials of {sweep.base.project} are judged by the validation at their "
            f"end, and {steps} steps with one every {every} have none there; set a divisor of steps"
        )


def check_arguments(sweep: Sweep, slot: Slot) -> None:
    """Let the real command print its config, and compare that with what was asked for.

    Raises:
        UserError: The command fails, or prints another config.
    """
    task = Task("preflight", combinations(sweep.plan.parameters, 1)[0], sweep.base.seed)
    alone = Slot(slot.number, cores=slot.cores)
    printed = _run(command(sweep, task, alone, "--print_config"), alone)
    path = sweep.folder / "preflight" / "printed.yaml"
    write_whole(path, printed)
    asked, got = flat(expected_config(sweep, task)), flat(load_config(path))
    for key in (*task.values, *asked):
        if asked.get(key) != got.get(key):
            raise UserError(
                f"the command does not pass its arguments on: {key} is {got.get(key)!r} where "
                f"{asked.get(key)!r} was asked for, so every trial would be the same run"
            )


def check_read(sweep: Sweep, slot: Slot) -> Probed:
    """Make one step of a few configurations; refuse keys that none reads, and unknown objectives.

    Raises:
        UserError: The key that nothing reads, the objective that no run leaves behind, or what is
            wrong with one of the configurations.
    """
    parameters, unread = sweep.plan.parameters, list(sweep.plan.swept)
    tried = [
        {key: parameter.ends()[-1] for key, parameter in parameters.items()},
        {key: parameter.ends()[0] for key, parameter in parameters.items()},
        *combinations(parameters, PROBES - 2),
    ]
    for number, values in enumerate(tried):
        probed = _probe(sweep, slot, values, number)
        if number == 0:
            _check_objectives(sweep, probed)
        unread = [key for key in unread if not _reached(key, probed)]
        if not unread:
            return probed
    named = {"source": sweep.plan.source, "key": unread[0], "project": sweep.base.project}
    raise UserError(render(UNREAD_KEY.finding(Measured(1.0, 0.0, named))))


def combinations(parameters: Mapping[str, Distribution], count: int) -> list[dict[str, JsonValue]]:
    """Return random configurations, the same ones every time."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [draw(study.ask(), parameters) for _ in range(count)]


def _check_keys(plan: Plan) -> None:
    """Refuse swept keys that do not exist, or that a sweep must not touch."""
    known = [*valid_keys(RunConfig), *weight_keys()]
    for key in plan.parameters:
        kept = [one for one in DECIDED_BY_THE_SWEEP if key == one or key.startswith(f"{one}.")]
        if kept:
            raise UserError(
                f"{plan.source}: parameters.{key}: a sweep keeps {kept[0]} the same for all "
                "trials; set it in the base config"
            )
        options = any(one.endswith(".options") and key.startswith(f"{one}.") for one in known)
        if key not in known and not options:
            near = nearest_key(key, known)
            hint = f"did you mean {near}?" if near else "every key is in config/schema.py"
            raise UserError(f"{plan.source}: unknown key {key!r} under parameters; {hint}")


def _check_values(sweep: Sweep, values: Mapping[str, JsonValue], what: str) -> None:
    try:
        check_project(expected_config(sweep, Task("preflight", values, sweep.base.seed)))
    except UserError as error:
        raise UserError(f"{sweep.plan.source}: parameters: {what} is refused: {error}") from None


def _check_objectives(sweep: Sweep, probed: Probed) -> None:
    for metric in sweep.settings.metrics:
        known = probed.results if sweep.settings.validation_results else []
        refuse_unknown(metric, [*probed.validated, *known])
    first = sweep.settings.metrics[0].name
    if sweep.settings.pruner != "none" and plain_name(first) not in probed.validated:
        raise UserError(
            f"metric {first} is not validated during a run, so no trial can be ended early by it; "
            f"validated are {', '.join(probed.validated)}; or set --pruner none"
        )


def _reached(key: str, probed: Probed) -> bool:
    section, _, term = key.partition(".")
    if section == "loss_weights" and term.partition(".")[0] not in probed.weighted:
        return False
    return was_read(key, set(probed.read))


def _probe(sweep: Sweep, slot: Slot, values: Mapping[str, JsonValue], number: int) -> Probed:
    """Probe one configuration in a process of its own, on the slot's devices."""
    folder = sweep.folder / "preflight"
    task = Task(f"probe-{number}", values, sweep.base.seed)
    answer = folder / f"probe-{number}.json"
    names = [metric.name for metric in sweep.settings.metrics]
    first = Slot(slot.number, slot.gpus[:1], slot.cores)
    files = ["--config", str(sweep.folder / BASE_FILE), "--answer", str(answer)]
    told = [f"--set={one}" for one in overrides(sweep, task)]
    _run(first.command("cinelex.sweeps.probe", *files, *told, *names), first)
    return read_answer(answer)


def _run(arguments: Sequence[str], slot: Slot) -> str:
    """Run a command of this project and return its output."""
    ended = subprocess.run(
        list(arguments), capture_output=True, text=True, check=False, env=slot.environment()
    )
    if ended.returncode != 0:
        lines = [line for line in ended.stderr.splitlines() if line.strip()]
        reason = lines[-1].removeprefix("error: ") if lines else f"exit code {ended.returncode}"
        raise UserError(f"a trial could not even begin: {reason}")
    return ended.stdout
