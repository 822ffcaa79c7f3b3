"""The processor's cores."""

import os


def usable_cores() -> int:
    """Return on how many cores this process may run; not every system says less than all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def own_cores() -> int:
    """Return how many each process that was started beside this one has for itself."""
    return max(1, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
