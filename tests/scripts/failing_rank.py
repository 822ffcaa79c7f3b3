"""A run in which one process fails while the other waits for it; ``test_launch`` looks on."""

import sys
from argparse import Namespace
from pathlib import Path

import torch

import cinelex.scripts.main
from cinelex.config.schema import RunConfig
from cinelex.core import distributed
from cinelex.core.errors import UserError
from tests.tiny_run import MULTITASK


def run(config: RunConfig, options: Namespace, device: torch.device) -> int:
    """Fail on one rank alone."""
    if distributed.rank() == int(sys.argv[2]):
        raise UserError("bad manifest") if distributed.is_main() else ValueError("only I know")
    distributed.barrier()
    raise AssertionError("the other rank never comes")


if __name__ == "__main__":
    cinelex.scripts.main.run = run
    sys.exit(
        cinelex.scripts.main.main(["--base_config", str(MULTITASK), f"folder={Path(sys.argv[1])}"])
    )
