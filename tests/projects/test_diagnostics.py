"""Facts about samples, against what they count."""

import numpy as np

from cinelex.data.sampler import StudySampler
from cinelex.projects.studies.sample_diagnostics import order_diagnostics


def test_true_orders_of_a_handful_of_studies_are_within_the_reach_of_chance() -> None:
    shares, reaches = [], []
    for seed in range(60):
        diagnostics = order_diagnostics(StudySampler(studies=12, batch=4, seed=seed), samples=12)
        shares.append(diagnostics["data/order_repeats"])
        reaches.append(diagnostics["data/order_repeats/chance"])
    assert np.mean(shares) > 0.05  # 1/12, where one of a thousand studies would be 0.001
    assert max(shares) > 0.1
    assert all(share <= reach for share, reach in zip(shares, reaches, strict=True))


def test_of_many_studies_chance_reaches_little() -> None:
    diagnostics = order_diagnostics(StudySampler(studies=2000, batch=32, seed=0), samples=2000)
    assert diagnostics["data/order_repeats"] < diagnostics["data/order_repeats/chance"] < 0.01
