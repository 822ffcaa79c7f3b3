"""Search hyperparameters around a base config. Started by scripts/run_sweep.sh."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.config.shipped import config_file
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import INTERRUPTED
from cinelex.core.locks import sole_user
from cinelex.projects import PROJECTS, check_project
from cinelex.sweeps.driver import Driver
from cinelex.sweeps.outcomes import read_back
from cinelex.sweeps.page import write_page
from cinelex.sweeps.plan import Metric, Plan, read_plan
from cinelex.sweeps.preflight import check_arguments, check_file, check_read, check_values
from cinelex.sweeps.ray_pool import RayPool, cluster, needs
from cinelex.sweeps.settings import Settings, Sweep, create
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import Pool, Processes, Slot, cpu_slots, gpu_slots
from cinelex.sweeps.wandb_agent import logged_in, made_sweep, open_sweep, run_agents

COUNT = 20


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("run_sweep.sh"), description=__doc__)
    add = made.add_argument
    add("--base_config", required=True, help="YAML file of the base run")
    add("--sweep_config", required=True, type=Path, help="YAML file in W&B's sweep format")
    add("--count", type=int, help=f"configurations to try (default: run_cap, or {COUNT})")
    add("--selected_gpus", help="such as 0,1,2: one trial on each (default: all visible)")
    add("--gpus_per_trial", type=int, default=1, help="GPUs per trial")
    add("--workers", type=int, help="run this many trials at once on CPU cores, not GPUs")
    add("--backend", choices=("auto", "local", "wandb"), default="auto", help="who picks values")
    add(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="ray: all nodes of a cluster",
    )
    add("--join", action="store_true", help="work on a W&B sweep that another node started")
    add("--resume", action="store_true", help="resume a sweep")
    add("--sampler", choices=("tpe", "cmaes"), default="tpe", help="sampler for method: bayes")
    add("--pruner", choices=("none", "hyperband", "successive_halving", "median"))
    add("--objective", action="append", default=[], metavar="NAME=maximize", help="may be repeated")
    add("--seeds", type=int, default=1, help="seeds per configuration")
    add("--final_seeds", type=int, default=3, help="seeds of the final comparison with the default")
    add("--check_only", action="store_true", help="validate the sweep and exit")
    add("overrides", nargs="*", metavar="key.path=value", help="override a key of the base config")
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, 2 for bad input, or 130 if stopped."""
    return run(parser().parse_intermixed_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Check a sweep, run it, and write its page."""
    plan = read_plan(config_file(options.sweep_config))
    base = load_config(config_file(options.base_config), options.overrides)
    check_project(base)
    settings = choose(options, plan, base)
    check_file(plan, settings, base.project)
    folder = base.folder / "sweeps" / (plan.name or f"{base.name}-sweep")
    slots = share_out(options)
    if options.join:
        return join(Sweep(folder), slots)
    with sole_user(folder):
        sweep = create(folder, plan, base, settings, resume=options.resume)
        check_values(sweep)
        check_arguments(sweep, slots[0])
        say("running one step of the base config to see which keys it reads (decodes all data)")
        check_read(sweep, slots[0])
        say(f"{folder}: {len(plan.swept)} keys are swept; the sweep is valid")
        return 0 if options.check_only else work(sweep, slots, options)


def work(sweep: Sweep, slots: Sequence[Slot], options: argparse.Namespace) -> int:
    """Run what is left of a sweep, and write its page.

    W&B's server chooses configurations; the default recipe and the last comparison are run here.
    """
    studies = open_studies(sweep)
    online = options.backend == "wandb" or (options.backend == "auto" and logged_in())
    finished = True
    if online:
        say(f"W&B sweep: {open_sweep(sweep)}")
        finished = run_agents(sweep, slots, say)
        read_back(studies)
    if finished:
        with pool_of(sweep, slots, options) as pool:
            finished = Driver(studies, pool, say).run(search=not online)
    say(f"page: {write_page(studies)}")
    if not finished:
        say("stopped and saved; the same command with --resume continues")
    return 0 if finished else INTERRUPTED


@contextmanager
def pool_of(sweep: Sweep, slots: Sequence[Slot], options: argparse.Namespace) -> Iterator[Pool]:
    """Yield what runs the trials."""
    if options.engine == "local":
        yield Processes(sweep, slots)
        return
    with cluster() as ray:
        needed = needs(ray, gpus_per_trial=options.gpus_per_trial, trials=options.workers)
        yield RayPool(ray, sweep, needed)


def join(sweep: Sweep, slots: Sequence[Slot]) -> int:
    """Train what W&B's server chooses for a sweep in a folder that another node's driver has."""
    say(f"W&B sweep: {made_sweep(sweep)}")
    return 0 if run_agents(sweep, slots, say) else INTERRUPTED


def choose(options: argparse.Namespace, plan: Plan, base: RunConfig) -> Settings:
    """Return the settings of a sweep from its command line and its file.

    Raises:
        UserError: A number is not positive, or an objective is not NAME=maximize.
    """
    for name in ("count", "gpus_per_trial", "workers", "seeds"):
        number = getattr(options, name)
        if number is not None and number < 1:
            raise UserError(f"--{name} must be at least 1, got {number}")
    sampler = {"bayes": options.sampler, "random": "random", "grid": "grid"}[plan.method]
    early = plan.early_terminate
    return Settings(
        sampler=sampler,
        pruner=options.pruner or (early.type if early else "none"),
        metrics=[_metric(text) for text in options.objective] or [plan.metric],
        count=options.count or plan.run_cap or COUNT,
        seeds=options.seeds,
        final_seeds=max(0, options.final_seeds),
        validation_results="data" in PROJECTS[base.project].reads,
    )


def _metric(text: str) -> Metric:
    name, equals, goal = text.rpartition("=")
    if not equals or goal not in ("maximize", "minimize"):
        raise UserError(f"--objective {text}: expected NAME=maximize or NAME=minimize")
    return Metric.model_validate({"name": name, "goal": goal})


def share_out(options: argparse.Namespace) -> list[Slot]:
    """Return the slots of this machine's trials."""
    if options.workers is not None and options.engine == "local":
        if options.selected_gpus:
            raise UserError("--selected_gpus and --workers exclude each other")
        return cpu_slots(options.workers)
    gpus = options.selected_gpus.split(",") if options.selected_gpus else visible_gpus()
    if gpus:
        return gpu_slots(gpus, gpus_per_trial=options.gpus_per_trial)
    return cpu_slots(1)


def visible_gpus() -> list[str]:
    """Return the names of the GPUs that this process may use."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name]
    return [str(number) for number in range(torch.cuda.device_count())]


if __name__ == "__main__":
    sys.exit(guarded(main))
