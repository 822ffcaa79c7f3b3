"""Start several training processes with torchrun, and end as the first that failed did.

torchrun itself ends with 1 and a page of its own whatever happened; here the line that the failed
process wrote stays last, and its exit code is the exit code.
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

SIGNALS = "SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
"""What torchrun passes on to every process."""


def launch(processes: int, arguments: Sequence[str], *, module: str = "scripts.main") -> int:
    """Run ``python -m module arguments`` in several processes that know one another.

    The port is free: it is chosen by the system. CPU threads are shared out evenly, unless
    OMP_NUM_THREADS is set.

    Returns:
        0 when all succeed, else the exit code of the first failure; 128 + n for signal n.
    """
    logging.disable(logging.ERROR)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // processes)))
    options = ["--standalone", f"--nproc-per-node={processes}", f"--signals-to-handle={SIGNALS}"]
    try:
        run.main([*options, "--module", module, *arguments])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode >= 0:
            return failure.exitcode
        name = signal.Signals(-failure.exitcode).name
        hint = "; out of memory is the usual cause" if name == "SIGKILL" else ""
        sys.stderr.write(f"error: process {rank} of {processes} was ended by {name}{hint}\n")
        return 128 - failure.exitcode
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


if __name__ == "__main__":
    sys.exit(launch(int(sys.argv[1]), sys.argv[2:]))
