"""One of W&B's agents, in its slot: asks the server for values, and trains with them.

The agent is W&B's own, in the form that calls a function of ours. The function knows one program,
and gives it values that were checked against the sweep file.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import wandb
from optuna.trial import TrialState, create_trial

from config.strict_yaml import read_yaml
from core.errors import UserError
from core.files import hash_json
from sweeps.queues import Queues, open_queues
from sweeps.scores import mean_scores, measured
from sweeps.settings import Sweep
from sweeps.slots import Slot, read_arguments
from sweeps.task import Task
from sweeps.tickets import TICKET
from sweeps.training import TrialError, record_hash, train
from sweeps.wandb_backend import RUN_ID, check_chosen, open_sweep


@dataclass(frozen=True)
class Agent:
    """Trains with what the server chooses."""

    sweep: Sweep
    slot: Slot
    queues: Queues

    def run_one(self) -> None:
        """Train once, with the values and under the run id that W&B's agent left behind.

        Raises:
            UserError: The server chose what the sweep file does not allow.
            TrialError: The run failed; the agent tells the server.
        """
        run_id = os.environ["WANDB_RUN_ID"]
        if not RUN_ID.fullmatch(run_id):
            raise UserError("the server sent something that is no run's id; nothing was run")
        chosen = read_yaml(Path(os.environ["WANDB_SWEEP_PARAM_PATH"]), dotted_keys=True).data
        values = check_chosen(self.sweep.plan, unwrapped(chosen))
        task = Task(f"wandb-{run_id}", values, self.sweep.base.seed, use_wandb=True)
        begun = time.monotonic()
        how = train(
            self.sweep, task, self.slot, watch=lambda row: False, asked_to_stop=lambda: False
        )
        assert how == "finished"
        self._keep(run_id, task, seconds=time.monotonic() - begun)

    def _keep(self, run_id: str, task: Task, *, seconds: float) -> None:
        """Enter a finished run among the configurations of this folder."""
        scores = mean_scores(self.sweep, [measured(self.sweep, task)])
        told = {
            TICKET: int(hash_json(run_id)[:6], 16),
            "recipe": "search",
            "values": dict(task.values),
            "runs": [task.name],
            "scores": {name: asdict(score) for name, score in scores.items()},
            "seconds": round(seconds, 1),
            "record": record_hash(self.sweep.trials / task.name),
        }
        self.queues.search.add_trial(
            create_trial(
                state=TrialState.COMPLETE,
                values=[score.value for score in scores.values()],
                user_attrs=told,
            )
        )


def unwrapped(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of W&B's file of a run's parameters, which has each below ``value``."""
    return {
        key: entry["value"]
        for key, entry in chosen.items()
        if isinstance(entry, Mapping) and "value" in entry
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask for values and train until the server has no more."""
    folder, slot = read_arguments(__doc__ or "", arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # W&B's agent ends its run on Ctrl-C
    try:
        sweep = Sweep(folder)
        where = open_sweep(sweep)
        agent = Agent(sweep, slot, open_queues(sweep))
        wandb.agent(
            where.sweep_id, function=agent.run_one, entity=where.entity, project=where.project
        )
    except (UserError, TrialError) as problem:
        sys.stderr.write(f"error: {problem}\n")
        return 2
    finally:
        wandb.teardown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
