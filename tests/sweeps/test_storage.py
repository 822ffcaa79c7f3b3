"""A database that several nodes share."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.sweeps.outcomes import outcomes
from cinelex.sweeps.queues import fill, open_queues
from cinelex.sweeps.slots import cpu_slots
from tests.sweeps.postgres import postgres
from tests.sweeps.quick_sweep import HEAD, ROOT, quick_sweep


def test_two_nodes_share_a_sweep_in_postgresql_and_no_configuration_is_run_twice(
    tmp_path: Path,
) -> None:
    text = (
        HEAD.replace("bayes", "grid") + "  loss_weights.contrastive: {values: [1.5, 2, 2.5, 3]}\n"
    )
    with postgres() as address:
        here = quick_sweep(tmp_path / "here", text, storage=address, sampler="grid", final_seeds=1)
        there = quick_sweep(
            tmp_path / "there", text, storage=address, sampler="grid", final_seeds=1
        )
        queues = open_queues(here)
        fill(queues, here)
        fill(queues, here)  # a second time changes nothing
        slot = cpu_slots(1, cores=[0])[0]
        nodes = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.sweeps.quick_worker",
                    str(node.folder),
                    json.dumps(asdict(slot)),
                ],
                cwd=ROOT,
                env={**os.environ, "QUICK_RUN_S": "0.1"},
                stdout=subprocess.DEVNULL,
            )
            for node in (here, there)
        ]
        assert [node.wait() for node in nodes] == [0, 0]
        search = outcomes(queues.search)
        assert [(one.state, one.tries) for one in search] == [("complete", 1)] * 4
        assert [one.values["loss_weights.contrastive"] for one in search] == [1.5, 2, 2.5, 3]
        assert {one.state for one in outcomes(queues.final)} == {"complete"}
        ran = [sorted(path.name for path in node.trials.iterdir()) for node in (here, there)]
        assert not set(ran[0]) & set(ran[1])
        assert len(ran[0]) + len(ran[1]) == 7
        assert ran[0]
        assert ran[1]


def test_a_database_that_is_not_there_is_refused_without_its_password(tmp_path: Path) -> None:
    storage = "postgresql+psycopg://me:secret@127.0.0.1:1/none"
    sweep = quick_sweep(tmp_path, storage=storage)
    with pytest.raises(UserError, match="--storage") as refused:
        open_queues(sweep)
    assert "secret" not in str(refused.value)


def test_more_configurations_can_be_asked_for_later(tmp_path: Path) -> None:
    first = quick_sweep(tmp_path, count=2)
    fill(open_queues(first), first)
    later = quick_sweep(tmp_path, count=3)
    fill(open_queues(later), later)
    assert [one.ticket for one in outcomes(open_queues(later).search)] == [0, 1, 2]
