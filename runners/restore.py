"""Back to where a run stood."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from cinelex.core import checkpoint
from cinelex.core.checkpoint import Position
from cinelex.core.console import say
from cinelex.core.distributed import barrier, world_size
from cinelex.core.sharding import as_parameter
from cinelex.core.weights import check_names, with_frozen
from cinelex.runners import saving
from cinelex.runners.ema import Ema
from cinelex.runners.snapshot import restore_optimizer, restore_random_state


def restore(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: Ema | None = None,
    balance: nn.Module | None = None,
    strict: bool = False,
    skip: Sequence[str] = (),
) -> tuple[Position, Path | None]:
    """Go back to the newest checkpoint whose hashes hold; all ranks call it together.

    Another number of processes goes on with the same studies in every step: the global batch
    is a function of the step alone, and is shared out anew.

    Args:
        folder: Where the checkpoints are.
        model: Gets the weights.
        optimizer: Gets the moments.
        ema: Gets the averages; where the checkpoint has none, it begins at the weights.
        balance: Gets its state; where the checkpoint has that of another, it begins anew.
        strict: Refuse a damaged checkpoint instead of going back to an older one.
        skip: Parameters, or modules of parameters, that may differ from the checkpoint's; they
            keep their fresh values, and all moments begin anew.

    Returns:
        Where the run stands, and the checkpoint; the beginning and None where there is none.

    Raises:
        UserError: All are damaged, or the model is another.
    """
    saving.remove_leftovers(folder)
    found = checkpoint.newest(folder, strict=strict)
    if found is None:
        return Position(step=0, records=0, skipped=0), None
    path = found.path
    saving.put_aside_newer(folder, path)
    own = model.state_dict()
    weights = with_frozen(found, own)
    fresh = check_names(path, weights, own, skip=skip)
    kept = {n: as_parameter(weights[n], tensor) for n, tensor in own.items() if n not in fresh}
    model.load_state_dict({**own, **kept})
    if fresh:
        say(f"warning: {len(fresh)} tensors start fresh, first {fresh[0]!r}, as do all moments")
    else:
        restore_optimizer(optimizer, checkpoint.read(path, "optimizer"))
    if ema is not None:
        averages = checkpoint.read(path, "ema") or weights
        ema.restore({n: value for n, value in averages.items() if n not in fresh})
    if balance is not None:
        _restore_balance(balance, checkpoint.read(path, "balance"))
    device = next(model.parameters()).device
    restore_random_state(checkpoint.read(path, "random"), device)
    processes = found.state["processes"]
    if processes != world_size():
        say(
            f"saved by {processes} processes, going on with {world_size()}: every step "
            "has the same studies, and the same gradients to rounding"
        )
    barrier()
    return found.position, path


def _restore_balance(balance: nn.Module, state: Mapping[str, Tensor]) -> None:
    own = balance.state_dict()
    if {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in own.items()
    }:
        balance.load_state_dict(state)
    else:
        say("warning: another balance of the losses than before; it starts fresh")
