"""A driver in a process of its own, whose training program is quick_run."""

import sys
from pathlib import Path

from cinelex.sweeps import training
from cinelex.sweeps.driver import Driver
from cinelex.sweeps.settings import Sweep
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import Processes, cpu_slots

if __name__ == "__main__":
    training.PROGRAM = "tests.sweeps.quick_run"
    training.POLL_S = 0.02
    sweep = Sweep(Path(sys.argv[1]))
    pool = Processes(sweep, cpu_slots(1, cores=[0]))
    Driver(open_studies(sweep), pool, lambda text: None).run()
