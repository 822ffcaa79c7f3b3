"""W&B's agents: each in its slot asks the server for values, and trains with them.

An agent is W&B's own, in the form that calls a function of ours. The function knows one program,
and gives it values that were checked against the sweep file.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from cinelex.config.strict_yaml import read_yaml
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.core.files import write_json
from cinelex.sweeps import training
from cinelex.sweeps.leaving import leaving
from cinelex.sweeps.pools import MAX_KILLED
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.slots import Slot
from cinelex.sweeps.task import Task, check_recorded
from cinelex.sweeps.training import SAVED, finish, is_killed, last_line, reason, start
from cinelex.sweeps.wandb_backend import RUN_ID, check_chosen, notes_of, open_sweep, task_of

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
            while agents and not asked.wait(training.POLL_S):
                for slot, code in [(slot, one.poll()) for slot, one in agents.items()]:
                    if code is None:
                        continue
                    del agents[slot]
                    killed[slot] += is_killed(code)
                    if is_killed(code) and killed[slot] <= MAX_KILLED:
                        say(f"agent {slot.number} was killed ({code}) and is started again")
                        agents[slot] = _start(sweep, slot)
                    elif code:
                        raise UserError(f"agent {slot.number}: {last_line(_log(sweep, slot))}")
        finally:
            for one in agents.values():
                one.terminate()
            for one in agents.values():
                one.wait()
        return not asked.is_set()


def _log(sweep: Sweep, slot: Slot) -> Path:
    return sweep.folder / "logs" / f"agent-{os.uname().nodename}-{slot.number}.log"


def _start(sweep: Sweep, slot: Slot) -> "subprocess.Popen[bytes]":
    log = _log(sweep, slot)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stream:
        return subprocess.Popen(
            slot.command(AGENT, str(sweep.folder), json.dumps(asdict(slot))),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=slot.environment(),
            start_new_session=True,
        )


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
        self._train(task_of(self.sweep, run_id, values))
        self.failed = 0

    def _train(self, task: Task) -> None:
        """Run a task to its end, and leave a note of that for whoever compares."""
        begun = time.monotonic()
        note: dict[str, JsonValue] = {"values": dict(task.values)}
        path = notes_of(self.sweep) / f"{task.name}.json"
        write_json(path, note)
        try:
            self._run(task)
        except UserError as error:
            write_json(path, {**note, "error": str(error)})
            raise
        write_json(path, {**note, "seconds": round(time.monotonic() - begun, 1)})

    def _run(self, task: Task) -> None:
        killed = 0
        while code := finish(start(self.sweep, task, self.slot)):
            killed += is_killed(code)
            if killed > MAX_KILLED or not (is_killed(code) or code in SAVED):
                raise UserError(reason(self.sweep, task, code))
        check_recorded(self.sweep, task)


def unwrapped(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of W&B's file of a run's parameters, which has each below ``value``."""
    return {
        key: entry["value"]
        for key, entry in chosen.items()
        if isinstance(entry, Mapping) and "value" in entry
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for values and train until the server has no more."""
    import wandb

    folder, told = arguments or sys.argv[1:]
    slot = json.loads(told)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # W&B's agent ends its run on Ctrl-C
    try:
        sweep = Sweep(Path(folder))
        where = open_sweep(sweep)
        agent = Agent(sweep, Slot(slot["number"], tuple(slot["gpus"]), tuple(slot["cores"])))
        wandb.agent(
            where.sweep_id, function=agent.run_one, entity=where.entity, project=where.project
        )
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
