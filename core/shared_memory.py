"""Whether processes of one machine have room to exchange gradients through its memory."""

import shutil
from pathlib import Path

SHARED = Path("/dev/shm")  # noqa: S108 - a file system of the kernel, not a place for files
MIN_BYTES = 2**28
"""Containers start with 64 MiB unless told otherwise; NCCL's manual asks for 1 GiB."""


def too_small(processes: int, *, folder: Path = SHARED) -> str:
    """Return what is wrong with the shared memory, and which setting cures it; empty if nothing.

    Nothing else here needs it: batches are made by threads, and CPU processes exchange by sockets.

    Args:
        processes: How many use GPUs of this machine together.
        folder: Where NCCL keeps its segments.

    Source: NCCL's manual, Troubleshooting, Shared memory.
    """
    if processes < 2 or not folder.is_dir():
        return ""
    free = shutil.disk_usage(folder).free
    if free >= MIN_BYTES:
        return ""
    return (
        f"{folder} has {free / 2**20:.0f} MiB free, and {processes} processes exchange gradients "
        "through it: start the container with --shm-size=1g, or set NCCL_SHM_DISABLE=1, which is "
        "slower"
    )
