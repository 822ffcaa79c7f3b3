"""One order of studies out of several."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int64

K: Final = 60
"""How little the first places count beside the next ones; the paper's value."""
DEPTH: Final = 1000
"""Places of each order that count, as in the runs that the paper fused."""


def fused(orders: Sequence[Int64[np.ndarray, " row"]]) -> Int64[np.ndarray, " row"]:
    """Return the rows of all orders by their sum of 1 / (60 + place), where places begin at 1.

    A row that an order lacks gets nothing from it; of rows that are equal, the one that an earlier
    order has first is first.

    Source: Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and
    individual rank learning methods", SIGIR.
    """
    sums: dict[int, float] = {}
    for order in orders:
        for place, row in enumerate(order.tolist(), start=1):
            sums[row] = sums.get(row, 0.0) + 1 / (K + place)
    return np.array(sorted(sums, key=lambda row: -sums[row]), np.int64)
