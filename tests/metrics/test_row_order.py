"""The null of agreement against shuffles, and orders that are known to be wrong."""

import numpy as np
import pytest

from cinelex.metrics.row_order import Link, agreement, better_orders, likely_orders, pairs_within

ROWS = 600


def _people(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    person = random.permutation(np.arange(ROWS) // 3)  # neighbours are no relatives
    rows = random.standard_normal((ROWS // 3, 8))[person] + random.standard_normal((ROWS, 8))
    return rows - rows.mean(axis=0), person


def _shuffled(ids: np.ndarray) -> np.ndarray:
    return np.random.RandomState(42).permutation(len(ids))


def test_the_null_is_what_shuffles_show() -> None:
    rows, person = _people()
    link = Link("person", rows, *pairs_within(person))
    random = np.random.default_rng(1)
    found = [agreement(link, random.permutation(ROWS)).z for _ in range(500)]
    assert abs(np.mean(found)) < 0.15
    assert 0.9 < np.std(found) < 1.1


def test_rows_of_a_person_agree_and_others_do_not() -> None:
    rows, person = _people()
    link = Link("person", rows, *pairs_within(person))
    assert agreement(link).z > 10
    assert agreement(link).mean == pytest.approx(8, rel=0.3), "the variance that a person shares"


def test_pairs_are_of_one_group_and_of_no_group_none() -> None:
    left, right = pairs_within(np.array([0, 0, 1, 1, 1, -1, -1]))
    assert sorted(zip(left // 2, right // 2, strict=True)) != []
    assert len(left) == 1 + 2
    assert (np.array([0, 0, 1, 1, 1])[left] == np.array([0, 0, 1, 1, 1])[right]).all()


@pytest.mark.parametrize(
    ("said", "move"),
    [
        ("as text", lambda ids: np.argsort(ids, kind="stable")),
        ("backwards", lambda ids: np.arange(len(ids))[::-1]),
        ("shifted by +1", lambda ids: (np.arange(len(ids)) - 1) % len(ids)),
        ("5 workers", lambda ids: np.argsort(np.arange(len(ids)) % 5, kind="stable")),
        (
            "numpy's RandomState with seed 42",
            _shuffled,
        ),
    ],
)
def test_an_order_that_went_wrong_is_named(said: str, move: object) -> None:
    rows, person = _people()
    random = np.random.default_rng(3)
    ids = [f"{random.integers(10**6):06d}" for _ in range(ROWS)]
    moved = rows[move(np.array(ids))]  # type: ignore[operator]
    links = {"m": [Link("person", moved, *pairs_within(person))]}
    found = better_orders(links, ids, {})["m"]
    assert said in found.order
    assert found.own.z < 5 < found.other.z


@pytest.mark.parametrize("seed", range(5))
def test_rows_in_order_are_left_alone(seed: int) -> None:
    rows, person = _people(seed)
    ids = [f"video{number}" for number in range(ROWS)]
    links = {"m": [Link("person", rows, *pairs_within(person))]}
    assert better_orders(links, ids, {}) == {}


def test_every_order_is_one() -> None:
    for name, order in likely_orders([f"a{n}" for n in range(37)], {}):
        assert sorted(order) == list(range(37)), name
