"""Runs of a sweep on all nodes of a Ray cluster, whose disk they share; an optional extra."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cinelex.core.errors import UserError
from cinelex.core.exit_codes import PREEMPTED
from cinelex.sweeps.settings import Sweep, Task
from cinelex.sweeps.training import MAX_KILLED, Process, Slot, finish, start

LOST = -9
"""Exit code of a run whose nodes died again and again."""
RESOURCES = {"num_gpus": "GPU", "num_cpus": "CPU"}
"""What a task asks for, and Ray's name of what a node has of it."""


@contextmanager
def cluster() -> Iterator[Any]:
    """Yield Ray, connected to the cluster that RAY_ADDRESS or this machine knows, or to a new one.

    Raises:
        UserError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise UserError("--engine ray: Ray is missing; pip install 'cinelex[ray]'") from None
    paths = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "PYTHONSAFEPATH": "1"}
    ray.init(log_to_driver=False, logging_level=logging.ERROR, runtime_env={"env_vars": paths})
    try:
        yield ray
    finally:
        ray.shutdown()


def needs(ray: Any, *, gpus_per_trial: int, trials: int | None) -> dict[str, float]:
    """Return what each run asks for: GPUs, or where the cluster has none, CPU cores.

    Args:
        ray: Connected.
        gpus_per_trial: Of each run.
        trials: At once, where there are only CPU cores; None is one a node.
    """
    there = ray.cluster_resources()
    if there.get("GPU"):
        return {"num_gpus": gpus_per_trial}
    cores = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
    cores = [count for count in cores if count]
    return {"num_cpus": max(1, int(min(*cores, there["CPU"] // (trials or len(cores)))))}


def run_task(folder: str, task: Task) -> int:
    """Train on whatever Ray gave this task; return the exit code."""
    import ray

    gpus = tuple(str(gpu) for gpu in ray.get_gpu_ids())
    return finish(start(Sweep(Path(folder)), task, Slot(0, gpus)))


class RayPool:
    """Each run is a task of Ray's, which begins it again elsewhere when its node dies."""

    def __init__(
        self,
        ray: Any,
        sweep: Sweep,
        needed: Mapping[str, float],
        run: Callable[[str, Task], int] = run_task,
    ) -> None:
        self.ray, self.folder, self.needed = ray, str(sweep.folder.resolve()), needed
        self.remote = ray.remote(run).options(max_retries=MAX_KILLED, **needed)

    @property
    def size(self) -> int:
        """Return how many runs the cluster has room for now."""
        there = self.ray.cluster_resources()
        return min(int(there.get(RESOURCES[what], 0) // one) for what, one in self.needed.items())

    def start(self, task: Task) -> Process:
        """Hand a run to Ray."""
        return RayRun(self.ray, self.remote.remote(self.folder, task))


class RayRun:
    """A run somewhere in the cluster."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self.ray, self.reference = ray, reference

    def poll(self) -> int | None:
        """Return its exit code, or None while it waits or lives."""
        ended, _ = self.ray.wait([self.reference], timeout=0)
        try:
            return int(self.ray.get(self.reference)) if ended else None
        except self.ray.exceptions.TaskCancelledError:
            return PREEMPTED
        except (self.ray.exceptions.WorkerCrashedError, self.ray.exceptions.NodeDiedError):
            return LOST

    def terminate(self) -> None:
        """Interrupt its task, which lets it save."""
        self.ray.cancel(self.reference)
