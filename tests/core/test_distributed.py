"""Collectives in one process and on three ranks with 2, 0 and 3 rows."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from cinelex.core import distributed
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from tests.core.collectives_worker import rows_of
from tests.ranks import PATIENCE_S, run_on_ranks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE_S)]

WORLD = 3


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each rank saw."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    run_on_ranks("tests.core.collectives_worker", str(folder), world=WORLD)
    return [read_json(folder / f"{rank}.json") for rank in range(WORLD)]


def test_every_rank_knows_the_world_and_one_is_main(seen: list[dict[str, Any]]) -> None:
    assert [one["world"] for one in seen] == [3, 3, 3]
    assert [one["is_main"] for one in seen] == [True, False, False]


def test_rows_are_stacked_in_rank_order_though_ranks_have_different_numbers(
    seen: list[dict[str, Any]],
) -> None:
    expected = torch.cat([rows_of(rank) for rank in range(WORLD)]).tolist()
    for one in seen:
        assert one["counts"] == [2, 0, 3]
        assert one["gathered"] == expected
        assert one["flags"] == [False, False, True, True, True]
        assert one["tubelets"] == [5, 4, 5]


def test_the_gradient_of_a_row_reaches_its_owner_from_every_rank(
    seen: list[dict[str, Any]],
) -> None:
    gradient = 3 * torch.arange(10.0).reshape(5, 2)
    expected = [gradient[:2].tolist(), [], gradient[2:].tolist()]
    assert [one["rows_gradient"] for one in seen] == expected


def test_a_sum_over_ranks_is_the_sum_and_every_rank_gets_the_gradient_of_all(
    seen: list[dict[str, Any]],
) -> None:
    assert [one["total"] for one in seen] == [6.0, 6.0, 6.0]
    true_gradient = 2 * 6.0
    assert {one["value_gradient"] for one in seen} == {WORLD * true_gradient}


def test_logged_numbers_are_averaged_once(seen: list[dict[str, Any]]) -> None:
    assert [one["max"] for one in seen] == [14, 14, 14]


def test_json_travels_without_pickle(seen: list[dict[str, Any]]) -> None:
    everyone = [{"rank": rank, "word": "é" * rank} for rank in range(WORLD)]
    for one in seen:
        assert one["json"] == everyone
        assert one["main_says"] == ["main", None]


def test_alone_every_collective_gives_back_what_it_got() -> None:
    rows = torch.arange(6.0).reshape(3, 2)
    assert distributed.start("cpu") == torch.device("cpu")
    assert distributed.is_main()
    assert distributed.world_size() == 1
    assert distributed.gather_rows(rows) is rows
    assert distributed.row_counts(rows) == [3]
    assert distributed.sum_over_ranks(rows) is rows
    assert distributed.max_over_ranks(4) == 4
    assert distributed.gather_json({"a": [1]}) == [{"a": [1]}]
    assert distributed.broadcast_json("a") == "a"
    distributed.barrier()
    distributed.stop()


def test_several_processes_without_an_address_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in distributed.TORCHRUN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(UserError, match="LOCAL_RANK, MASTER_ADDR, MASTER_PORT is unset"):
        distributed.start("cpu")


def test_the_first_to_fail_speaks_and_nobody_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = []

    class Store:
        def add(self, key: str, amount: int) -> int:
            spoken.append(key)
            return len(spoken)

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed.distributed_c10d, "_get_default_store", Store)
    assert [distributed.speaks_first() for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize("meet", [distributed.barrier, lambda: distributed.broadcast_json(1)])
def test_the_main_rank_may_take_hours_and_the_others_a_timeout(
    monkeypatch: pytest.MonkeyPatch, meet: Callable[[], Any]
) -> None:
    seen: list[timedelta | str] = []

    class Word:
        def wait(self, timeout: timedelta) -> None:
            seen.append(timeout)

    def collective(*_: Any) -> None:
        seen.append("collective")
        raise TimeoutError

    fakes: dict[str, Callable[..., Any]] = {
        "is_initialized": lambda: True,
        "get_rank": lambda: 1,
        "get_world_size": lambda: 2,
        "irecv": lambda tensor, source: Word() if source == 0 else None,
        "all_reduce": collective,
        "all_gather": collective,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(torch.distributed, name, fake)
    with pytest.raises(TimeoutError):
        meet()
    assert seen == [distributed.MAIN_MAY_TAKE, "collective"]
    assert timedelta(days=2) < distributed.MAIN_MAY_TAKE


@pytest.mark.parametrize(("rank", "speaks"), [("0", True), ("1", False)])
def test_before_the_ranks_have_met_the_main_one_speaks(
    monkeypatch: pytest.MonkeyPatch, rank: str, speaks: bool
) -> None:
    monkeypatch.setenv("RANK", rank)
    assert distributed.speaks_first() == speaks
