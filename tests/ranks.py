"""Run a module on several gloo processes, as torchrun would."""

from pathlib import Path

from cinelex.core.processes import run_on_processes

ROOT = Path(__file__).parents[1]
PATIENCE_S = 600.0
"""Seconds that processes may take; a machine that does other work too is slow, and not broken."""


def run_on_ranks(module: str, *arguments: str, world: int) -> None:
    """Run ``python -m module arguments`` once a rank, and fail with the first one's complaint."""
    run_on_processes(module, *arguments, world=world, timeout_s=PATIENCE_S, folder=str(ROOT))
