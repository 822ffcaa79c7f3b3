"""A W&B agent whose training program is quick_run, and who asks without waiting."""

import sys

from wandb.agents import pyagent

from cinelex.sweeps import training, wandb_agent

if __name__ == "__main__":
    training.PROGRAM = "tests.sweeps.quick_run"
    training.POLL_S = 0.05
    pyagent.Agent.HEARTBEAT_SLEEP_SECONDS = 0.2  # type: ignore[assignment]
    pyagent.Agent.FLAPPING_MAX_FAILURES = 10
    sys.exit(wandb_agent.work(*sys.argv[1:]))
