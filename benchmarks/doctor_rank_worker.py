"""The process of the two-process self-test, with a defect put back that the environment names."""

import os
import sys
from contextlib import nullcontext

from benchmarks.defects import DEFECTS
from cinelex.doctor.live.ranks_worker import main

VARIABLE = "CINELEX_DEFECT"

if __name__ == "__main__":
    named = [defect for defect in DEFECTS if defect.name == os.environ.get(VARIABLE)]
    context = named[0].ranks or named[0].code if named else None
    with context() if context else nullcontext():
        main(sys.argv[1:])
