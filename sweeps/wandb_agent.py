"""W&B's server as the one who chooses, and its agents: each in its slot trains what it is told.

An agent is W&B's own, in the form that calls a function of ours. Nothing that the server sends is
ever executed: it chooses values, and only those of the sweep file.
"""

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wandb
from pydantic import JsonValue

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.entry import command
from cinelex.core.errors import UserError
from cinelex.core.files import write_json, write_whole
from cinelex.core.signals import leaving
from cinelex.sweeps import training
from cinelex.sweeps.outcomes import note_of
from cinelex.sweeps.plan import Plan
from cinelex.sweeps.settings import Sweep, Task, check_recorded
from cinelex.sweeps.training import MAX_KILLED, SAVED, Slot, is_killed

PROJECT, ID_FILE = "cinelex", "wandb-sweep"
RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
FILE_KEYS_KEPT_HERE = {"program", "command", "project", "entity"}
"""What the server is not told: nobody but this program's own agents runs a trial."""
AGENT = "cinelex.sweeps.wandb_agent"
MAX_FAILED = 3
"""Runs that fail one after another before W&B's agent gives up, which it does without a word."""


def logged_in() -> bool:
    """Return whether W&B has a key for its server."""
    return bool(wandb.login(prompt=False))


def made_sweep(sweep: Sweep) -> str:
    """Return the sweep on the server that this folder's driver has made: ``[entity/]project/id``.

    Raises:
        UserError: It has made none yet.
    """
    path = sweep.folder / ID_FILE
    if not path.exists():
        raise UserError(
            f"{path}: no sweep there yet; --join once the node without it says 'W&B sweep: ...'"
        )
    return path.read_text()


def open_sweep(sweep: Sweep) -> str:
    """Make a sweep on the server, or go back to the one that this folder began with.

    For the driver alone, whose checks have passed: whoever joins takes `made_sweep`.

    Raises:
        UserError: There is no key, several objectives, or the server refuses.
    """
    path = sweep.folder / ID_FILE
    if path.exists():
        return made_sweep(sweep)
    if not logged_in():
        raise UserError("--backend wandb: no key; run wandb login, or take --backend local")
    if len(sweep.settings.metrics) > 1:
        raise UserError("W&B's sweeps have one objective; take --backend local for several")
    plan = sweep.plan
    project = plan.project or PROJECT
    try:
        sweep_id = wandb.sweep(server_config(sweep), entity=plan.entity, project=project)
    except (wandb.Error, OSError, ValueError) as error:
        raise UserError(f"W&B did not take the sweep ({type(error).__name__}: {error})") from None
    if not RUN_ID.fullmatch(sweep_id):
        raise UserError("W&B answered with something that is no sweep's id")
    made = "/".join(part for part in (plan.entity, project, sweep_id) if part)
    write_whole(path, made)
    return made


def server_config(sweep: Sweep) -> dict[str, Any]:
    """Return the sweep file as the server gets it: keys dotted, runs counted, no command."""
    kept = sweep.plan.model_dump(exclude_unset=True, exclude=FILE_KEYS_KEPT_HERE)
    metric = sweep.settings.metrics[0].model_dump()
    return {**kept, "metric": metric, "name": sweep.name, "run_cap": sweep.settings.count}


def check_chosen(plan: Plan, chosen: Mapping[str, JsonValue]) -> None:
    """Refuse values, by dotted key, that the sweep file cannot have led a server to.

    Raises:
        UserError: A key is missing or unknown, or a value is of another type or out of its range.
    """
    odd = sorted(plan.distributions.keys() ^ chosen.keys())
    if odd:
        what = "did not choose" if odd[0] in plan.distributions else "chose the unknown key"
        raise UserError(f"the server {what} {odd[0]!r}; nothing was run")
    for key, value in chosen.items():
        if not plan.distributions[key].contains(value):
            raise UserError(
                f"the server chose {key} = {repr(value)[:60]}, which {plan.source} does not "
                "allow; nothing was run"
            )


def run_agents(sweep: Sweep, slots: Sequence[Slot], say: Callable[[str], None]) -> bool:
    """Keep an agent in each slot until the server has no more runs; return False if stopped.

    Raises:
        UserError: An agent refused to work, or was killed too often.
    """
    agents = {slot: _start(sweep, slot) for slot in slots}
    killed: Counter[Slot] = Counter()
    with leaving() as asked:
        try:
            while any(one.poll() is None for one in agents.values()):
                if asked.wait(training.POLL_S):
                    return False
                for slot, one in agents.items():
                    if is_killed(one.poll() or 0) and killed[slot] < MAX_KILLED:
                        killed[slot] += 1
                        say(f"agent {slot.number} was killed and is started again")
                        agents[slot] = _start(sweep, slot)
        finally:
            for one in agents.values():
                one.terminate()
            failed = [slot for slot, one in agents.items() if one.wait()]
    for slot in failed:
        raise UserError(f"agent {slot.number}: {training.complaint(_log(sweep, slot))}")
    return True


def _log(sweep: Sweep, slot: Slot) -> Path:
    return training.log_of(sweep, f"agent-{os.uname().nodename}-{slot.number}")


def _start(sweep: Sweep, slot: Slot) -> training.Popen:
    command = slot.command(AGENT, str(sweep.folder), json.dumps(asdict(slot)))
    return training.launch(command, slot, _log(sweep, slot))


@dataclass
class Agent:
    """Trains with what the server chooses."""

    sweep: Sweep
    slot: Slot
    failed: int = 0
    """Runs that failed since one ended well."""

    def run_one(self) -> None:
        """Train once, with the values and under the run id that W&B's agent left behind.

        Raises:
            UserError: The server chose what the sweep file does not allow, or the run failed.
        """
        self.failed += 1
        run_id = os.environ["WANDB_RUN_ID"]
        if not RUN_ID.fullmatch(run_id):
            raise UserError("the server sent something that is no run's id; nothing was run")
        chosen = read_yaml(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]), dotted_keys=True).data
        values = unwrapped(chosen)
        check_chosen(self.sweep.plan, values)
        task = Task(f"wandb-{run_id}", values, self.sweep.base.seed, use_wandb=True)
        begun, path = time.monotonic(), note_of(self.sweep, task.name)
        note: dict[str, Any] = {"values": values}
        write_json(path, note)
        try:
            self._train(task)
            note["seconds"] = round(time.monotonic() - begun, 1)
            self.failed = 0
        except UserError as error:
            note["error"] = str(error)
            raise
        finally:
            write_json(path, note)

    def _train(self, task: Task) -> None:
        killed = 0
        while code := training.finish(training.start(self.sweep, task, self.slot)):
            killed += is_killed(code)
            if killed > MAX_KILLED or not (is_killed(code) or code in SAVED):
                raise UserError(training.reason(self.sweep, task, code))
        check_recorded(self.sweep, task)


def unwrapped(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of W&B's file of a run's parameters, which has each below ``value``."""
    given = {key: one for key, one in chosen.items() if isinstance(one, Mapping)}
    return {key: one["value"] for key, one in given.items() if "value" in one}


@command
def work(folder: str, slot: str) -> int:
    """Ask for values and train until the server has no more.

    Raises:
        UserError: The sweep is broken, or W&B's agent gave up.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # W&B's agent ends its run on Ctrl-C
    try:
        sweep = Sweep(Path(folder))
        agent = Agent(sweep, Slot(**json.loads(slot)))
        wandb.agent(made_sweep(sweep), function=agent.run_one)
        if agent.failed >= MAX_FAILED:
            raise UserError(
                f"W&B's agent gave up: {agent.failed} runs failed one after another; their "
                f"reasons stand in {sweep.folder / 'logs'}; continue with --resume"
            )
    finally:
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(work(*sys.argv[1:]))
