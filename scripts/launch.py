"""Start several training processes with torchrun, and end as the first that failed did.

torchrun itself ends with 1 and a page of its own whatever happened; here the line that the failed
process wrote stays last, and its exit code is the exit code. Signals go to the processes, which
save and say by their exit code why they ended; torchrun alone would give them half a minute.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

import psutil
from torch.distributed import run
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.elastic.rendezvous.api import RendezvousError

from cinelex.core.cores import usable_cores
from cinelex.core.entry import guarded, leave_at_once
from cinelex.core.exit_codes import LOST_PEER

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
"""What every process gets that this one got."""


def launch(
    processes: int,
    arguments: Sequence[str],
    *,
    module: str = "cinelex.scripts.main",
    nodes: str = "1",
    rendezvous: str | None = None,
    job: str = "cinelex",
    restarts: int = 0,
) -> int:
    """Run ``python -m module arguments`` in several processes that know one another.

    On a single node the port is free: it is chosen by the system. CPU threads are shared out
    evenly, unless OMP_NUM_THREADS is set.

    Args:
        processes: On this node.
        arguments: Of the module.
        module: What to run.
        nodes: How many nodes start this launcher, or ``least:most``.
        rendezvous: ``host:port`` where the nodes meet, the host one of them; None for one node.
        job: The same on all nodes of a job.
        restarts: How often the processes of all nodes are started again after a failure.

    Returns:
        0 when all succeed, else the exit code of the first failure; 128 + n for signal n.
    """
    logging.disable(logging.ERROR)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // processes)))
    # torchrun answers its signals by ending the processes; this one is sent by nobody. It looks
    # once a second: at ten times it ends the others before they have learned of a failure and said
    # so
    options = [f"--nproc-per-node={processes}", "--signals-to-handle=SIGQUIT"]
    options.append("--monitor-interval=1")
    if rendezvous is None:
        options.append("--standalone")
    else:
        options += [f"--nnodes={nodes}", "--rdzv-backend=c10d", f"--rdzv-endpoint={rendezvous}"]
        options += [f"--rdzv-id={job}", f"--max-restarts={restarts}"]
    for number in PASSED_ON:
        signal.signal(number, _pass_on)
    try:
        run.main([*options, "--module", module, *arguments])
    except ChildFailedError as error:
        return _exit_code(error, processes)
    except RendezvousError as error:
        sys.stderr.write(f"error: the nodes did not meet, or one was lost ({error})\n")
        return LOST_PEER
    return 0


def _exit_code(error: ChildFailedError, processes: int) -> int:
    # those that ended because another one did say nothing about why
    causes = {r: f for r, f in error.failures.items() if f.exitcode != LOST_PEER}
    failures = causes or error.failures
    rank, failure = min(failures.items(), key=lambda item: item[1].timestamp)
    if failure.exitcode >= 0:
        return failure.exitcode
    name = signal.Signals(-failure.exitcode).name
    hint = "; out of memory is the usual cause" if name == "SIGKILL" else ""
    sys.stderr.write(f"error: process {rank} of {processes} was ended by {name}{hint}\n")
    return 128 - failure.exitcode


def _pass_on(number: int, frame: FrameType | None) -> None:
    """Send the signal to the processes, which torchrun keeps in sessions of their own."""
    found = psutil.Process().children()
    for child in found:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(number)
    if not found:
        # nobody is there who could save or answer: the signal is for this process
        if number == signal.SIGINT:
            leave_at_once(number, frame)
        os._exit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse what belongs to the launcher; the rest belongs to the processes."""
    parser = argparse.ArgumentParser(prog="launch", description=__doc__, allow_abbrev=False)
    parser.add_argument("--processes", type=int, required=True, help="on this node")
    parser.add_argument("--nodes", default="1", help="how many, or least:most")
    parser.add_argument("--rendezvous", help="host:port where the nodes meet")
    parser.add_argument("--job", default="cinelex", help="the same on all nodes")
    parser.add_argument("--restarts", type=int, default=0, help="after a failure")
    options, rest = parser.parse_known_args(arguments)
    return launch(
        options.processes,
        ["cinelex.scripts.main", *rest],
        module="cinelex.core.entry",
        nodes=options.nodes,
        rendezvous=options.rendezvous,
        job=options.job,
        restarts=options.restarts,
    )


if __name__ == "__main__":
    sys.exit(guarded(main))
