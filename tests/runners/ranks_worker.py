"""What several processes do together, one thing after the other; `test_runs_on_ranks` looks on."""

import signal
import sys
from pathlib import Path

import torch

from cinelex.core import distributed
from cinelex.core.errors import UserError
from tests.runners.line_project import line_config, trainer
from tests.runners.shared_project import SharedProject

SPOILED = frozenset({2})
SIGNALLED_AT = 4


def ask_rank_one(step: int) -> None:
    """Let a scheduler want one of the machines back."""
    if step == SIGNALLED_AT and distributed.rank() == 1:
        signal.raise_signal(signal.SIGUSR1)


def run_all(folder: Path) -> None:
    """Train in several ways."""
    torch.set_num_threads(1)
    distributed.start("cpu", timeout_s=120)
    for name in ("ddp", "fsdp"):
        config = line_config(f"parallel={name}", "ema_decay=0.5")
        assert trainer(folder / name, SharedProject(SPOILED), config).run()
    for asked in (ask_rank_one, None):
        project = SharedProject(SPOILED, asked) if asked else SharedProject(SPOILED)
        config = line_config("parallel=fsdp", "ema_decay=0.5")
        trainer(folder / "fsdp-in-two", project, config).run()
    stopped = trainer(folder / "stopped", SharedProject(SPOILED, ask_rank_one))
    assert not stopped.run()
    assert stopped.cause == "preempted", "on every rank"
    (folder / f"stopped-at-{distributed.rank()}").write_text(str(stopped.step))
    drifting = trainer(folder / "drift", SharedProject(), line_config("checksum_every=2"))
    if distributed.rank() == 1:
        with torch.no_grad():
            drifting.module.get_parameter("blocks.1.2.bias")[1] += 1e-7
    try:
        drifting.run()
    except UserError as problem:
        (folder / f"drift-{distributed.rank()}").write_text(str(problem))
    distributed.stop()


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
