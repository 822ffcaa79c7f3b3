"""Which schedule a learning rate followed."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from cinelex.doctor.logs.course import window_text
from cinelex.doctor.logs.entry import Entry, Question, Verdict, number
from cinelex.doctor.logs.metric import Metric
from cinelex.metrics.series import Points

_EXACT = 0.01
_FEWEST = 8
COSINE, DEVIATION = "decays as half a cosine", "greatest deviation over the peak"


def schedule_entries(metric: Metric) -> Iterator[Entry]:
    """Yield whether a learning rate decays as half a cosine and never rises after its peak."""
    peak = int(np.argmax(metric.values[::-1]))
    start = len(metric.values) - 1 - peak
    steps, values = metric.steps[start:], metric.values[start:]
    ask = partial(Question, run=metric.run, metric=metric.name, window=window_text(metric, start))
    if len(values) < _FEWEST or np.ptp(values) == 0:
        reason = "It is constant, or too few points follow its peak."
        yield ask(claim=COSINE, estimator=DEVIATION).answer("not testable", reason)
        return
    cosine, line = _deviation(steps, values, bent=True), _deviation(steps, values, bent=False)
    null = f"{number(line)}: the straight line between the same ends"
    yield ask(claim=COSINE, estimator=DEVIATION, null=null).answer(
        "supported" if cosine <= _EXACT else "contradicted",
        f"Greatest deviation from the cosine between its ends: {cosine:.2%} of the peak.",
        value=cosine,
    )
    rise = float(np.max(np.diff(values), initial=0.0)) / float(values[0])
    verdict: Verdict = "supported" if rise <= 1e-6 else "contradicted"
    estimator = "greatest rise between neighbours over the peak"
    yield ask(claim="never rises after its peak", estimator=estimator, null="0").answer(
        verdict, f"Greatest rise between two points after the peak: {rise:.2%} of it.", value=rise
    )


def _deviation(steps: Points, values: Points, *, bent: bool) -> float:
    done = (steps - steps[0]) / (steps[-1] - steps[0])
    left = (1 + np.cos(np.pi * done)) / 2 if bent else 1 - done
    expected = values[-1] + (values[0] - values[-1]) * left
    return float(np.abs(values - expected).max() / np.abs(values).max())
