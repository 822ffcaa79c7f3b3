"""W&B's agents: each in its slot asks the server for values, and trains with them.

An agent is W&B's own, in the form that calls a function of ours. The function knows one program,
and gives it values that were checked against the sweep file.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wandb

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.core.files import write_json
from cinelex.core.signals import leaving
from cinelex.sweeps import training
from cinelex.sweeps.settings import Sweep, Task, check_recorded
from cinelex.sweeps.training import MAX_KILLED, SAVED, Slot, is_killed
from cinelex.sweeps.wandb_server import RUN_ID, check_chosen, made_sweep, note_of

AGENT = "cinelex.sweeps.wandb_agent"
MAX_FAILED = 3
"""Runs that fail one after another before W&B's agent gives up, which it does without a word."""


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
        raise UserError(f"agent {slot.number}: {training.last_line(_log(sweep, slot))}")
    return True


def _log(sweep: Sweep, slot: Slot) -> Path:
    return training.log_of(sweep, f"agent-{os.uname().nodename}-{slot.number}")


def _start(sweep: Sweep, slot: Slot) -> training.Popen:
    words = slot.command(AGENT, str(sweep.folder), json.dumps(asdict(slot)))
    return training.launch(words, slot, _log(sweep, slot))


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
        values = check_chosen(self.sweep.plan, unwrapped(chosen))
        task = Task(f"wandb-{run_id}", values, self.sweep.base.seed, use_wandb=True)
        begun, note = time.monotonic(), {"values": values}
        write_json(note_of(self.sweep, task.name), note)
        try:
            self._train(task)
        except UserError as error:
            write_json(note_of(self.sweep, task.name), {**note, "error": str(error)})
            raise
        seconds = round(time.monotonic() - begun, 1)
        write_json(note_of(self.sweep, task.name), {**note, "seconds": seconds})
        self.failed = 0

    def _train(self, task: Task) -> None:
        killed = 0
        while code := training.finish(training.start(self.sweep, task, self.slot)):
            killed += is_killed(code)
            if killed > MAX_KILLED or not (is_killed(code) or code in SAVED):
                raise UserError(training.reason(self.sweep, task, code))
        check_recorded(self.sweep, task)


def unwrapped(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of W&B's file of a run's parameters, which has each below ``value``."""
    told = {key: entry for key, entry in chosen.items() if isinstance(entry, Mapping)}
    return {key: entry["value"] for key, entry in told.items() if "value" in entry}


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for values and train until the server has no more."""
    folder, told = arguments or sys.argv[1:]
    slot = json.loads(told)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # W&B's agent ends its run on Ctrl-C
    try:
        sweep = Sweep(Path(folder))
        agent = Agent(sweep, Slot(slot["number"], tuple(slot["gpus"]), tuple(slot["cores"])))
        wandb.agent(made_sweep(sweep), function=agent.run_one)
        if agent.failed >= MAX_FAILED:
            raise UserError(
                f"W&B's agent gave up: {agent.failed} runs failed one after another; their "
                f"reasons stand in {sweep.folder / 'logs'}; go on with --resume"
            )
    except UserError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return BAD_INPUT
    finally:
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
