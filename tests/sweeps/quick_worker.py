"""A worker whose training program is quick_run."""

import sys

from cinelex.sweeps import training, worker

if __name__ == "__main__":
    training.PROGRAM = "tests.sweeps.quick_run"
    training.POLL_S = 0.05
    worker.IDLE_S = 0.1
    sys.exit(worker.main())
