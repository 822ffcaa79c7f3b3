"""What is refused before the first trial, because it would make the whole sweep worthless."""

import subprocess
from collections.abc import Mapping, Sequence

import optuna
from pydantic import JsonValue

from cinelex.config.load import dump_config
from cinelex.config.nearest import nearest_key, valid_keys
from cinelex.config.schema import RunConfig
from cinelex.config.watched import was_read
from cinelex.core.errors import UserError
from cinelex.core.files import read_json, write_whole
from cinelex.core.names import covered
from cinelex.doctor.finding import render
from cinelex.doctor.rules.swept_keys import dependent_objective, unread_key
from cinelex.projects import PROJECTS, check_project, weight_keys
from cinelex.sweeps.distributions import Distribution, draw
from cinelex.sweeps.outcomes import plain_name, refuse_unknown
from cinelex.sweeps.plan import Plan
from cinelex.sweeps.probe import Probed
from cinelex.sweeps.settings import Settings, Sweep, Task, check_recorded, expected_config
from cinelex.sweeps.studies import validations_of
from cinelex.sweeps.training import Slot, command, last_line

DECIDED_BY_THE_SWEEP = (
    *("name", "folder", "project", "seed", "device", "threads", "gradient_accumulation_steps"),
    *("use_wandb", "log_every", "probe_every", "validate_every", "checkpoint_every"),
    *("keep_checkpoints", "evaluation", "data.cache", "data.workers", "data.manifest"),
    *("data.inference_manifest", "data.train_split", "data.validation_split", "data.test_split"),
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
    for key in plan.parameters:
        _check_key(key, plan.source)
    for metric in settings.metrics:
        found = dependent_objective(metric.name, [*plan.swept], PROJECTS[project].terms)
        if found is not None:
            raise UserError(render(found))
    if len(settings.metrics) > 1:
        if settings.pruner != "none":
            raise UserError(
                "with several objectives no trial can be ended early, because none is worst in "
                "all of them; leave early_terminate out, or set --pruner none"
            )
        if settings.sampler == "cmaes":
            raise UserError("CMA-ES looks for one objective; choose --sampler tpe for several")


def _check_key(key: str, source: str) -> None:
    """Refuse a swept key that does not exist, or that a sweep must not touch."""
    known = [*valid_keys(RunConfig), *weight_keys()]
    kept = [one for one in DECIDED_BY_THE_SWEEP if covered(key, [one])]
    if kept:
        raise UserError(
            f"{source}: parameters.{key}: a sweep keeps {kept[0]} the same for all trials; set it "
            "in the base config"
        )
    options = [one for one in known if one.endswith(".options")]
    if key not in known and not covered(key, options):
        near = nearest_key(key, known)
        near = f"; did you mean {near}?" if near else ""
        raise UserError(f"{source}: unknown key {key!r} under parameters{near}")


def check_values(sweep: Sweep) -> None:
    """Refuse values that the schema refuses, alone or together, and a sweep that cannot prune.

    Raises:
        UserError: The key and the end of its range, or the combination, and the schema's reason.
    """
    plan, every, steps = sweep.plan, sweep.base.validate_every, sweep.base.steps
    lowest = {key: parameter.ends()[0] for key, parameter in plan.distributions.items()}
    tried = {
        f"{key} = {end!r}": {**lowest, key: end}
        for key, distribution in plan.swept.items()
        for end in distribution.ends()
    }
    for values in combinations(plan.distributions, COMBINATIONS):
        shown = ", ".join(f"{key} = {values[key]!r}" for key in plan.swept)
        tried[f"the combination {shown}"] = values
    for what, values in tried.items():
        try:
            check_project(expected_config(sweep, Task("preflight", values, sweep.base.seed)))
        except UserError as error:
            raise UserError(f"{plan.source}: parameters: {what} is refused: {error}") from None
    if sweep.settings.pruner != "none" and validations_of(sweep) < 2:
        raise UserError(
            f"trials are to be ended early, but a run has {validations_of(sweep)} validations of "
            f"{sweep.settings.metrics[0].name}; set validate_every to a small share of steps "
            f"({steps})"
        )
    if not sweep.settings.validation_results and (every == 0 or steps % every):
        raise UserError(
            f"validate_every: trials of {sweep.base.project} are judged by the validation at their "
            f"end, and {steps} steps with one every {every} have none there; set a divisor of steps"
        )


def combinations(parameters: Mapping[str, Distribution], count: int) -> list[dict[str, JsonValue]]:
    """Return random configurations, the same ones every time."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [draw(study.ask(), parameters) for _ in range(count)]


def check_arguments(sweep: Sweep, slot: Slot) -> None:
    """Let the real command print its config, and compare that with what was asked for.

    Raises:
        UserError: The command fails, or prints another config.
    """
    task = Task("preflight", combinations(sweep.plan.distributions, 1)[0], sweep.base.seed)
    alone = Slot(slot.number, cores=slot.cores)
    path = sweep.folder / "preflight" / "printed.yaml"
    write_whole(path, _run(command(sweep, task, alone, "--print_config"), alone))
    check_recorded(sweep, task, path)


def check_read(sweep: Sweep, slot: Slot) -> None:
    """Make one step of a few configurations; refuse keys that none reads, and unknown objectives.

    Raises:
        UserError: The key that nothing reads, the objective that no run leaves behind, or what is
            wrong with one of the configurations.
    """
    parameters, unread = sweep.plan.distributions, list(sweep.plan.swept)
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
            return
    found = unread_key(unread[0], source=sweep.plan.source, project=sweep.base.project)
    raise UserError(render(found))


def _check_objectives(sweep: Sweep, probed: Probed) -> None:
    results = probed.results if sweep.settings.validation_results else []
    for metric in sweep.settings.metrics:
        refuse_unknown(metric, [*probed.validated, *results])
    first = sweep.settings.metrics[0].name
    if sweep.settings.pruner != "none" and plain_name(first) not in probed.validated:
        raise UserError(
            f"metric {first} is not validated during a run, so no trial can be ended early by it; "
            f"validated are {', '.join(probed.validated)}; or set --pruner none"
        )


def _reached(key: str, probed: Probed) -> bool:
    section, _, term = key.partition(".")
    unweighted = section == "loss_weights" and term.partition(".")[0] not in probed.weighted
    return not unweighted and was_read(key, probed.read)


def _probe(sweep: Sweep, slot: Slot, values: Mapping[str, JsonValue], number: int) -> Probed:
    """Probe one configuration in a process of its own, on the slot's first device."""
    config = sweep.folder / "preflight" / f"probe-{number}.yaml"
    answer = config.with_suffix(".json")
    task = Task(f"probe-{number}", values, sweep.base.seed)
    write_whole(config, dump_config(expected_config(sweep, task)))
    names = [metric.name for metric in sweep.settings.metrics]
    first = Slot(slot.number, slot.gpus[:1], slot.cores)
    _run(first.command("cinelex.sweeps.probe", str(config), str(answer), *names), first)
    return Probed(**read_json(answer))


def _run(words: Sequence[str], slot: Slot) -> str:
    """Run a command of this project and return its output."""
    ended = subprocess.run(
        list(words), capture_output=True, text=True, check=False, env=slot.environment()
    )
    if ended.returncode != 0:
        reason = last_line(ended.stderr) or f"exit code {ended.returncode}"
        raise UserError(f"a trial could not even begin: {reason}")
    return ended.stdout
