"""The processor's cores."""

import os


def core_numbers() -> list[int]:
    """Return the cores that this process may run on; not every system says less than all."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def usable_cores() -> int:
    """Return on how many cores this process may run."""
    return len(core_numbers())


def own_cores() -> int:
    """Return how many each process that was started beside this one has for itself."""
    return max(1, usable_cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
