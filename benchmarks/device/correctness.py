"""That a step is right on the device: bf16, nothing waited for, resumed, on one rank."""

import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from benchmarks.device.found import Found, Place, close
from benchmarks.device.studies import TINY, made_up
from benchmarks.device.training import MULTITASK, PROVENANCE, trainer
from cinelex.config.schema import RunConfig
from cinelex.core.sharding import whole
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.runners.feed import fed
from cinelex.runners.train import Trainer


def bf16(place: Place) -> Iterator[Found]:
    """Compare the terms and the gradient of a step in bf16 with those in fp32."""
    found = {}
    for precision in ("fp32", "bf16"):
        with TemporaryDirectory() as folder:
            one = trainer(
                place, folder, MULTITASK, f"precision={precision}", f"batch={place.size(8, 4)}"
            )
            batch = next(one.project.batches(0)).to(place.device)
            _, terms = one.gradients.of(batch, one.project.weights(0), look=lambda _: None)
            flat = torch.cat(
                [p.grad.flatten() for p in one.module.parameters() if p.grad is not None]
            )
            found[precision] = terms, flat
    (terms, truth), (others, whole) = found["fp32"], found["bf16"]
    for name, term in terms.items():
        yield close(f"{name}, bf16 beside fp32", abs(float(others[name] / term) - 1), 0.02)
    yield close("gradient of a multitask step, bf16 beside fp32", _apart(whole, truth), 0.15)


def _apart(found: Tensor, truth: Tensor) -> float:
    return float((found.float() - truth).norm() / truth.norm())


def waits(place: Place) -> Iterator[Found]:
    """Count what an update waits for the device for."""
    with TemporaryDirectory() as folder:
        one = trainer(place, folder, MULTITASK)
        batches = fed(one.project.batches(0), place.device)
        for _ in range(2):
            _update(one, batches)
        given = next(batches)
        if place.on_gpu:
            torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                one.update(given.batch, given.on_device)
        finally:
            if place.on_gpu:
                torch.cuda.set_sync_debug_mode("default")
        synced = [str(w.filename) for w in caught if "synchroniz" in str(w.message)]
        names = ", ".join(sorted({Path(name).name for name in synced}))
        yield Found(
            "an update waits for the device", f"{len(synced)} times {names}", "0", not synced
        )


def _update(one: Trainer[Any], batches: Any) -> None:
    given = next(batches)
    one.update(given.batch, given.on_device)


def resume(place: Place) -> Iterator[Found]:
    """Stop and go on, on the device: the end must be that of a run that did not stop."""
    ends = []
    sizes = TINY if place.tiny else (*TINY, "model.width=128", "data.size=64")
    with TemporaryDirectory() as folder:
        for name, steps in (("whole", (8,)), ("stopped", (4, 8))):
            for last in steps:
                config, project = made_up(MULTITASK, *sizes, "steps=8", "checkpoint_every=4")
                path = Path(folder) / name
                one = Trainer(
                    project, config, folder=path, device=place.device, provenance=PROVENANCE
                )
                one.model.train()
                for given in fed(project.batches(one.step), place.device):
                    one.update(given.batch, given.on_device)
                    if one.step == last:
                        break
                one.save()
                one.saver.wait()
                one.books.close()
            ends.append(one.module.state_dict())
    same = all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
    yield Found("resumed on the device: weights equal to the bit", str(same), "True", same)


def ranks(place: Place) -> Iterator[Found]:
    """Run DistributedDataParallel and FSDP2 on one rank, with NCCL where there is a GPU."""
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    from cinelex.runners.parallel import shard

    with TemporaryDirectory() as folder:
        backend = "nccl" if place.on_gpu else "gloo"
        store = f"file://{folder}/store"
        dist.init_process_group(backend, init_method=store, rank=0, world_size=1)
        try:
            config, project = made_up(MULTITASK, *TINY)
            found = {
                name: _gradient(place, config, project, wrap)
                for name, wrap in (
                    ("plain", lambda module: module),
                    ("ddp", DistributedDataParallel),
                    ("fsdp", partial(shard, device=place.device, bf16=False)),
                )
            }
        finally:
            dist.destroy_process_group()
    for name in ("ddp", "fsdp"):
        apart = max(_apart(found[name][p], g) for p, g in found["plain"].items() if bool(g.any()))
        yield close(f"gradients of one {backend} rank, {name} beside plain", apart, 1e-4)


def _gradient(place: Place, config: RunConfig, project: Any, wrap: Any) -> dict[str, Tensor]:
    module = project.model().to(place.device)
    model = wrap(module)
    batch = next(project.batches(0)).to(place.device)
    WeightedSum(project.weights(0))(project.terms(model, batch)).backward()
    return {
        name: whole(p.grad).clone() for name, p in module.named_parameters() if p.grad is not None
    }
