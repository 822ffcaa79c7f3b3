"""P4 and its growth: InfoNCE and the sigmoid loss, forward and backward, beside open_clip's.

    python -m benchmarks.contrastive_loss [--quick]

Ways take turns in one process; memory is that of a process a way. Both ways get the same rows, and
their values are compared first.
"""

import math
import sys
import warnings
from collections.abc import Callable
from functools import partial

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
from cinelex.losses import CONTRASTIVE

WIDTH = 512
MODULE = "benchmarks.contrastive_loss"
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def ours(name: str) -> Loss:
    """Return a loss of this project."""
    loss = CONTRASTIVE[name]()

    def call(study: Tensor, report: Tensor, temperature: Tensor, bias: Tensor) -> Tensor:
        every = torch.arange(len(study))
        more = {"bias": bias} if name == "siglip" else {}
        return loss(
            study, report, temperature=temperature, report_group=every, patient_group=every, **more
        )

    return call


def peer(name: str) -> Loss:
    """Return open_clip's."""
    warnings.simplefilter("ignore")
    from open_clip.loss import ClipLoss, SigLipLoss

    if name == "siglip":
        sigmoid = SigLipLoss()
        return lambda study, report, t, bias: sigmoid(study, report, 1 / t, bias)
    clip = ClipLoss()
    return lambda study, report, t, _: clip(study, report, 1 / t)


SIDES = {"ours": ours, "peer": peer}


def both(loss: Loss, studies: int) -> Tensor:
    """Make rows, and run forward and backward."""
    random = torch.Generator().manual_seed(studies)
    rows = torch.randn(2, studies, WIDTH, generator=random)
    study, report = (F.normalize(row, dim=1).requires_grad_() for row in rows)
    temperature = torch.tensor(0.07, requires_grad=True)
    bias = torch.tensor(-math.log(studies), requires_grad=True)
    value = loss(study, report, temperature, bias)
    value.backward()
    return value.detach()


def time_of(name: str, studies: int, *, rounds: int) -> Row:
    """Compare the values, then the time."""
    ways = {side: make(name) for side, make in SIDES.items()}
    values = [both(loss, studies) for loss in ways.values()]
    torch.testing.assert_close(*values, rtol=1e-5, atol=1e-5)
    taken = take_turns({s: partial(both, loss, studies) for s, loss in ways.items()}, rounds=rounds)
    return Row(
        number="P4",
        what=f"{name}, {studies:,} × {WIDTH}, forward and backward",
        figure=seconds(taken["ours"]),
        beside=f"{of('open_clip_torch')} {seconds(taken['peer'])}",
        ratio=ratio_of(taken, "ours", "peer"),
        goal=1.0,
    )


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    # one round takes a twentieth of a second: three of them once read 1.15 where eleven read 0.87
    sizes, rounds = (1024, 2048) if quick else (1024, 2048, 4096), 11
    found = [time_of(name, size, rounds=rounds) for name in CONTRASTIVE for size in sizes]
    largest = 4096 if quick else 16384
    goal = 1.0 if quick else 1 / 10
    for name in CONTRASTIVE:
        what, asked = f"{name}, {largest:,} × {WIDTH}", (name, str(largest))
        peer = ("peer", "open_clip_torch")
        found.append(memory(MODULE, what, asked, number="P4", peer=peer, goal=goal))
    return [*found, growth(MODULE, "infonce", ("infonce",), (largest, 2 * largest))]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--alone"]:
        torch.set_num_threads(1)
        made = SIDES[sys.argv[2]](sys.argv[3])
        report_peak(partial(both, made, int(sys.argv[4])))
        sys.exit(0)
    sys.exit(main(rows, MODULE))
