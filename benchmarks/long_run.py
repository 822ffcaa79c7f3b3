"""P12 and P14: memory over many steps of one run, and weak scaling on paper.

python -m benchmarks.long_run [--quick]
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.device.studies import TINY, made_up
from benchmarks.series import Row, main, once
from benchmarks.weak_scaling import LINKS, all_reduce, gather
from cinelex.projects.multitask.planned import planned_step
from cinelex.runners.train import Trainer

STEP_S, BACKWARD = 0.05, 2 / 3
DAY_STEPS = 24 * 3600 / STEP_S
PROVENANCE = {"config": "c", "data": "d", "code": "e"}


def flat_row(steps: int) -> Row:
    """Train, and compare what the process holds after a fifth of the steps with the end."""
    saved = max(1, steps // 10)
    settings = (f"steps={steps}", f"checkpoint_every={saved}", "device=cpu", "keep_checkpoints=1")
    config, project = made_up("multitask_config.yaml", *TINY, *settings)
    held: list[float] = []
    with TemporaryDirectory() as folder:
        one = Trainer(
            project,
            config,
            folder=Path(folder),
            device=torch.device("cpu"),
            provenance=PROVENANCE,
        )
        update = one.update

        def watched(*given: object) -> object:
            if one.step in (steps // 5, steps - 1):
                held.append(resident_mib())
            return update(*given)  # type: ignore[arg-type]

        one.update = watched  # type: ignore[assignment,method-assign]
        one.run()
    grown = held[1] - held[0]
    a_day = grown / (0.8 * steps) * DAY_STEPS
    return Row(
        number="P12",
        what=f"memory of a run over {steps:,} steps, checkpoints included",
        figure=f"{held[0]:.0f} MiB after a fifth, {held[1]:.0f} at the end",
        beside=f"flat; a day of steps of 50 ms would add {a_day:,.0f} MiB at most",
        ratio=once(held[1] / held[0]),
        goal=1.02,
    )


def resident_mib() -> float:
    """Return what this process holds now."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(one.split()[1] for one in lines if one.startswith("VmRSS:"))) / 1024


def scaling_row(world: int) -> Row:
    """Return the share of a step of 50 ms that is left where the shipped model is exchanged."""
    config, _ = made_up("multitask_config.yaml")
    model = planned_step(config, studies=1).model
    link = LINKS[world]
    size = 4.0 * sum(p.numel() for p in model.parameters() if p.requires_grad)
    gradients = all_reduce(size, world, link)
    rows = 4 * gather(4.0 * config.batch * world * config.model.dim, world, link)
    share = STEP_S / (STEP_S + rows + max(0.0, gradients - BACKWARD * STEP_S))
    return Row(
        number="P14",
        what=f"weak scaling to {world} GPUs on paper, {size / 2**20:.0f} MiB of gradients",
        figure=f"gradients {1e3 * gradients:.2f} ms, embeddings {1e3 * rows:.2f} ms",
        beside=f"a step of 50 ms alone; {link.name}",
        ratio=once(share),
        goal=0.9,
        less=False,
    )


def rows(quick: bool) -> list[Row]:
    """Measure all."""
    return [flat_row(500 if quick else 5000), *(scaling_row(world) for world in LINKS)]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.long_run"))
