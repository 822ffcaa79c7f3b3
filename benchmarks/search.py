"""P7 and its growth: recall, ranks, NDCG and intervals of a whole search, both ways.

    python -m benchmarks.search [--quick]

Beside open_clip's metrics (an argsort of the whole matrix) and plain counting in float32, which is
what the product and two comparisons cost and is not exact.
"""

import sys
from functools import partial
from importlib import import_module
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.series import (
    Row,
    growth,
    main,
    memory,
    of,
    ratio_of,
    report_peak,
    seconds,
    take_turns,
)
from cinelex.metrics.retrieval import retrieval_report

WIDTH = 512
MODULE = "benchmarks.search"


def towers(size: int) -> tuple[Tensor, Tensor]:
    """Return studies and reports of which some find each other."""
    random = torch.Generator().manual_seed(size)
    study = torch.randn(size, WIDTH, generator=random)
    return study, 0.15 * study + torch.randn(size, WIDTH, generator=random)


def ours(study: Tensor, report: Tensor) -> float:
    """Return R@1 of the full report: nine metrics a direction with chance and intervals."""
    found = retrieval_report(study, report, torch.arange(len(study)))
    return float(found["study_to_report"]["recall_at_1"]["value"])  # type: ignore[index]


def argsorted(study: Tensor, report: Tensor) -> float:
    """Return R@1 as open_clip's training does."""
    train: Any = import_module("open_clip_train.train")
    rows = [F.normalize(side, dim=1) for side in (study, report)]
    metrics = train.get_clip_metrics(*rows, 1.0)
    return float(metrics["image_to_text_R@1"])


def counted(study: Tensor, report: Tensor) -> float:
    """Return R@1 by counting, 1,024 rows at a time."""
    rows = [F.normalize(side, dim=1) for side in (study, report)]
    first = []
    for query, gallery in (rows, rows[::-1]):
        for start in range(0, len(query), 1024):
            scores = query[start : start + 1024] @ gallery.T
            # of the same product: another sum of the same numbers is rounded otherwise
            own = scores.diagonal(start)[:, None]
            first.append((scores > own).sum(1) == 0)
    return float(torch.cat(first[: len(first) // 2]).float().mean())


WAYS = {"ours": ours, "argsort": argsorted, "counting": counted}


def compare(size: int, other: str, *, goal: float, rounds: int) -> Row:
    """Compare R@1, then the time."""
    rows = towers(size)
    ways = {name: partial(WAYS[name], *rows) for name in ("ours", other)}
    found = [way() for way in ways.values()]
    assert abs(found[0] - found[1]) <= 2 / size, f"{other} finds {found[1]}, not {found[0]}"
    taken = take_turns(ways, rounds=rounds)
    names = {"argsort": f"{of('open_clip_torch')}, argsort", "counting": "plain float32 counting"}
    return Row(
        number="P7",
        what=f"report of a search, {size:,} × {size:,}, both ways",
        figure=seconds(taken["ours"]),
        beside=f"{names[other]} {seconds(taken[other])}",
        ratio=ratio_of(taken, "ours", other),
        goal=goal,
    )


def memory_of(size: int, *, goal: float) -> Row:
    """Compare memory with that of an argsort of the whole matrix."""
    what, peer = f"the same, {size:,} × {size:,}", ("argsort", "open_clip_torch")
    return memory(MODULE, what, (str(size),), number="P7", peer=peer, goal=goal)


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    rounds = 3 if quick else 5
    found = [compare(2000, "argsort", goal=1.0, rounds=rounds)]
    if quick:
        grown = growth(MODULE, "a search", (), (2000, 6000))
        return [*found, memory_of(2000, goal=1.0), grown]
    return [
        *found,
        compare(10_000, "argsort", goal=1 / 5, rounds=rounds),
        compare(10_000, "counting", goal=1.3, rounds=rounds),
        memory_of(10_000, goal=1 / 20),
        growth(MODULE, "a search", (), (10_000, 30_000)),
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        torch.set_num_threads(1)
        made = towers(int(sys.argv[3]))
        report_peak(partial(WAYS[sys.argv[2]], *made))
        sys.exit(0)
    sys.exit(main(rows, MODULE))
