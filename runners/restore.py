"""Back to where a run stood."""

from pathlib import Path

import torch
from torch import nn

from core.console import say
from core.distributed import barrier, world_size
from runners import checkpoint
from runners.ema import Ema
from runners.sharding import as_parameter
from runners.snapshot import Position, restore_optimizer, restore_random_state


def restore(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: Ema | None = None,
    strict: bool = False,
) -> tuple[Position, Path | None]:
    """Go back to the newest checkpoint whose hashes hold; all ranks call it together.

    Another number of processes goes on with the same studies in every step: the global batch
    is a function of the step alone, and is shared out anew.

    Args:
        folder: Where the checkpoints are.
        model: Gets the weights.
        optimizer: Gets the moments.
        ema: Gets the averages; where the checkpoint has none, it begins at the weights.
        strict: Refuse a damaged checkpoint instead of going back to an older one.

    Returns:
        Where the run stands, and the checkpoint; the beginning and None where there is none.

    Raises:
        UserError: All are damaged, or the model is another.
    """
    checkpoint.remove_leftovers(folder)
    found = checkpoint.newest(folder, strict=strict)
    if found is None:
        return Position(step=0, records=0, skipped=0), None
    checkpoint.put_aside_newer(folder, found)
    state = checkpoint.verify(found)
    weights, own = checkpoint.read(found, "model"), model.state_dict()
    checkpoint.check_names(found, weights, own)
    model.load_state_dict({n: as_parameter(weights[n], tensor) for n, tensor in own.items()})
    restore_optimizer(optimizer, checkpoint.read(found, "optimizer"))
    if ema is not None:
        averages = checkpoint.read(found, "ema")
        ema.restore(averages or weights)
    device = next(model.parameters()).device
    restore_random_state(checkpoint.read(found, "random"), device)
    if state["processes"] != world_size():
        say(
            f"saved by {state['processes']} processes, going on with {world_size()}: every step "
            "has the same studies, and the same gradients to rounding"
        )
    barrier()
    return checkpoint.position_of(state), found
