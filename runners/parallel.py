"""From the trained module to what the loop calls: many processes, less memory, more speed."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import world_size

Parallel = Literal["ddp", "fsdp"]
CompileBackend = Literal["inductor", "aot_eager"]


def blocks(module: nn.Module) -> Iterator[nn.Module]:
    """Yield the repeated blocks of a model: the members of its lists of modules, outermost first.

    They are what is recomputed, compiled and sharded one by one, for every model alike.
    """
    for child in module.children():
        if isinstance(child, nn.ModuleList):
            yield from child
        else:
            yield from blocks(child)


def activation_checkpointing(module: nn.Module) -> None:
    """Keep only the inputs of each block, and run it again when its gradient is needed.

    Source: Chen et al. 2016, arXiv:1604.06174.
    """
    for block in blocks(module):
        # the function of the instance is replaced, so that the names of the parameters stay
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)


def compile_blocks(module: nn.Module, *, backend: CompileBackend) -> None:
    """Compile each block, once for all blocks of one shape; batches may differ in size."""
    for block in blocks(module):
        block.compile(backend=backend, dynamic=True)


def spreads(parallel: Parallel) -> bool:
    """Return whether `distribute` spreads the parameters over the ranks."""
    return parallel == "fsdp" and world_size() > 1


def prepared(
    module: nn.Module, config: RunConfig, device: torch.device, *, bf16: bool
) -> nn.Module:
    """Return what the loop calls in place of ``module``: recomputed, compiled and distributed."""
    if config.activation_checkpointing:
        activation_checkpointing(module)
    if config.compile is not None:
        compile_blocks(module, backend=config.compile)
    return distribute(module, device, parallel=config.parallel, bf16=bf16)


def distribute(
    module: nn.Module, device: torch.device, *, parallel: Parallel, bf16: bool
) -> nn.Module:
    """Return what the loop calls in place of ``module``.

    ``ddp`` keeps the whole model on every rank (DistributedDataParallel). ``fsdp`` keeps a
    share of every parameter, gradient and moment on each (FSDP2) and brings a block together while
    it is used; the parameters of ``module`` itself are then spread over the ranks.

    The graph is not declared static. Parameters without a gradient are not searched for anyway, and
    in its first step DistributedDataParallel would average the gradients behind whatever backward
    comes first: wrong by a tenth where a probe looks at a term before, refused where a batch is cut
    into micro-batches.

    Source: Rajbhandari et al. 2019, ZeRO, arXiv:1910.02054; Zhao et al. 2023, arXiv:2304.11277.
    """
    if spreads(parallel):  # what is spread never is whole on a device
        return shard(module, device, bf16=bf16)
    module.to(device)
    if world_size() == 1:
        return module
    return DistributedDataParallel(
        module,
        device_ids=[device] if device.type == "cuda" else None,
        # buffers are constants or set alike by all ranks, so that nobody needs to send them
        forward_sync_buffers=False,
        gradient_as_bucket_view=True,
    )


def shard(module: nn.Module, device: torch.device, *, bf16: bool) -> nn.Module:
    """Spread every parameter of a module over the ranks (FSDP2), block by block; return it.

    The module may be in the memory of the host: each block comes to the device to be spread, and
    what other ranks hold of it leaves, so that no device ever holds the whole model.
    """
    # here, because they take seconds
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    mesh = init_device_mesh(device.type, (world_size(),))
    # autocast chooses the numbers of each operation; the gradients are averaged in fp32
    policy = MixedPrecisionPolicy(reduce_dtype=torch.float32 if bf16 else None)
    for block in blocks(module):
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(module, mesh=mesh, mp_policy=policy)
    return module
