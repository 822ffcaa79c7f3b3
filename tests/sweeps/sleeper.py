"""Says which process it is and which cores it may use, and waits to be ended."""

import os
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    cores = ",".join(str(core) for core in sorted(os.sched_getaffinity(0)))
    Path(sys.argv[1]).write_text(f"{os.getpid()} {cores}")
    time.sleep(60)
