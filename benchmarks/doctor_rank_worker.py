"""The process of the two-process self-test, with a defect put back that the environment names."""

import os
import sys
from contextlib import nullcontext

from benchmarks.rank_defects import RANK_DEFECTS, VARIABLE
from cinelex.doctor.live.ranks_worker import main

if __name__ == "__main__":
    context = RANK_DEFECTS.get(os.environ.get(VARIABLE, ""), nullcontext)
    with context():
        main(sys.argv[1:])
