"""Correlations of changes, and one number under two names, against truths known beforehand."""

import numpy as np
import pytest

from cinelex.doctor.logs.metric import Metric
from cinelex.doctor.logs.relations import correlations, norm_identity, same_numbers
from tests.metrics.series import autoregressive, coverage_bounds

SERIES = 120


def _metric(name: str, values: np.ndarray) -> Metric:
    return Metric("run", name, np.arange(len(values), dtype=np.float64), values)


def test_drifting_together_is_no_correlation_of_changes() -> None:
    noise = np.random.default_rng(0).standard_normal((3, 400))
    drift = 0.1 * np.arange(400)
    first, second = _metric("a", drift + noise[0]), _metric("b", drift + noise[1])
    third = _metric("c", drift + 0.8 * noise[0] + 0.6 * noise[2])
    matrix = correlations([first, second, third])
    assert np.corrcoef(first.values, second.values)[0, 1] > 0.98
    assert abs(matrix.values[0, 1]) < 0.1
    pair = next(pair for pair in matrix.pairs if (pair.first, pair.second) == ("a", "c"))
    assert pair.low < 0.8 < pair.high
    assert pair.adjusted_p < 1e-6


def test_intervals_of_a_correlation_cover_it_at_their_nominal_rate() -> None:
    left = np.cumsum(autoregressive(200, correlation=0.5, series=SERIES, seed=3), axis=1)
    right = np.cumsum(autoregressive(200, correlation=0.5, series=SERIES, seed=4), axis=1)
    pairs = [
        correlations([_metric("a", x), _metric("b", y)]).pairs[0]
        for x, y in zip(left, right, strict=True)
    ]
    low, high = coverage_bounds(SERIES)
    assert low <= np.mean([pair.low <= 0 <= pair.high for pair in pairs]) <= high


def test_the_norm_of_a_vector_is_its_mean_and_its_spread() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 1024)) * 0.03 + 0.01
    mean, std = _metric("mean", vectors.mean(axis=1)), _metric("std", vectors.std(axis=1))
    norm = _metric("norm", np.linalg.norm(vectors, axis=1))
    found = norm_identity(mean, std, norm)
    assert found is not None
    assert found[1] == pytest.approx(1024)
    other = _metric("norm", np.linalg.norm(vectors[::-1], axis=1))
    assert norm_identity(mean, std, other) is None


def test_a_metric_in_other_units_is_the_same_number() -> None:
    values = np.random.default_rng(0).standard_normal(100)
    found = same_numbers([_metric("x", values), _metric("percent", 100 * values + 3)])
    assert [same.names for same in found] == [("x", "percent")]
    assert "100 x x +3" in found[0].formula
    assert same_numbers([_metric("x", values), _metric("y", values**3)]) == []
