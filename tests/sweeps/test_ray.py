"""The driver's runs as tasks of a Ray cluster with two nodes on this machine."""

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cinelex.core.errors import UserError
from cinelex.sweeps import ray_pool, training
from cinelex.sweeps.driver import Driver
from cinelex.sweeps.outcomes import outcomes
from cinelex.sweeps.ray_pool import RayPool, cluster, needs
from cinelex.sweeps.settings import Task
from cinelex.sweeps.studies import open_studies
from cinelex.sweeps.training import Process
from tests.sweeps.quick_sweep import ROOT, quick_sweep

pytestmark = pytest.mark.slow


def quick_task(folder: str, task: Task) -> int:
    """Train with the stand-in, and note on which node."""
    import ray

    training.PROGRAM, training.POLL_S = "tests.sweeps.quick_run", 0.05
    with nodes_of(folder, task.name).open("a") as stream:
        stream.write(ray.get_runtime_context().get_node_id() + "\n")
    return ray_pool.run_task(folder, task)


def nodes_of(folder: str, run: str) -> Path:
    return Path(folder) / f"{run}.nodes"


class Losing(RayPool):
    """Takes a node away as soon as a run on it has begun."""

    lost = ""

    def watch(self, nodes: Any, node: Any) -> None:
        self.nodes, self.node = nodes, node

    def start(self, task: Task) -> Process:
        run = super().start(task)
        path = nodes_of(self.folder, task.name)
        record = Path(self.folder) / "trials" / task.name / "metrics.jsonl"
        while not record.exists():
            time.sleep(0.05)
        if not self.lost and path.read_text().strip() == self.node.node_id:
            self.nodes.remove_node(self.node, allow_graceful=False)
            self.lost = task.name
        return run


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_run_whose_node_dies_goes_on_on_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(training, "POLL_S", 0.05)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("QUICK_RUN_S", "0.3")
    sweep = quick_sweep(tmp_path, count=1)
    quick_to_notice = {"health_check_period_ms": 500, "health_check_failure_threshold": 2}
    head = {"num_cpus": 1, "include_dashboard": False, "_system_config": quick_to_notice}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        other = nodes.add_node(num_cpus=1)
        monkeypatch.setenv("RAY_ADDRESS", nodes.address)
        with cluster() as ray:
            assert needs(ray, gpus_per_trial=1, trials=None) == {"num_cpus": 1}
            pool = Losing(ray, sweep, {"num_cpus": 1}, quick_task)
            assert pool.size == 2
            pool.watch(nodes, other)
            studies = open_studies(sweep)
            assert Driver(studies, pool, lambda text: None).run()
    finally:
        nodes.shutdown()
    assert [outcomes(study)[0].state for study in (studies.default, studies.search)] == [
        "complete",
        "complete",
    ]
    assert len(set(nodes_of(pool.folder, pool.lost).read_text().split())) == 2


def test_without_ray_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"pip install 'cinelex\[ray\]'"), cluster():
        pass
