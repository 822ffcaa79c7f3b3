"""How often 95 % intervals over patients hold the truth, beside those that take studies for alone.

python -m benchmarks.patient_intervals
"""

import numpy as np

from cinelex.core.console import say
from cinelex.metrics.bootstrap import interval, interval_of_sums

PATIENTS, SPREAD, TRIALS = 150, 1.2, 1000


def coverage(*, trials: int, patients: int, together: bool, resamples: int = 500) -> float:
    """Return the share of simulated test sets whose interval holds the true mean hit rate.

    A patient has 1 to 5 studies; a hit has the log odds of its patient, normally distributed.
    """
    draw = np.random.default_rng(0)
    many = SPREAD * np.random.default_rng(1).standard_normal(1_000_000)
    truth, held = float((1 / (1 + np.exp(-many))).mean()), 0
    for trial in range(trials):
        sizes = draw.integers(1, 6, size=patients)
        chance = np.repeat(1 / (1 + np.exp(-SPREAD * draw.standard_normal(patients))), sizes)
        owner = np.repeat(np.arange(patients), sizes)
        hits = (draw.random(len(chance)) < chance).astype(np.float64)
        groups = owner if together else None
        low, high = mean_interval(hits, groups, resamples=resamples, seed=trial)
        held += low <= truth <= high
    return held / trials


def mean_interval(
    hits: np.ndarray, groups: np.ndarray | None, *, resamples: int, seed: int
) -> tuple[float, float]:
    """Return the interval of a mean as evaluation makes it: sums and counts of drawn patients."""
    if groups is None:
        low, high = interval(hits, resamples=resamples, seed=seed)
    else:
        table = np.stack([hits, np.ones(len(hits))], axis=1)
        low, high = interval_of_sums(
            table,
            statistic=lambda sums: sums[:, 0] / sums[:, 1],
            groups=groups,
            resamples=resamples,
            seed=seed,
        )
    assert low is not None
    assert high is not None
    return low, high


if __name__ == "__main__":
    for together in (True, False):
        found = coverage(trials=TRIALS, patients=PATIENTS, together=together)
        say(f"{'patients' if together else 'studies'} resampled: {found:.1%} of {TRIALS} hold")
