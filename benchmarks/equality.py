"""Terms and gradients of one global batch: at 1, 2 and 4 processes, whole and cut into parts.

    python -m benchmarks.equality

Writes a table: for every variant of the losses, world size and number of parts, the largest
difference from one process with the whole batch, as a share of the length of what differs. A
negative control adds up the gradients of the parts without the cached outputs.
"""

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from cinelex.config.load import load_config
from cinelex.core import distributed
from cinelex.losses.weighted_sum import WeightedSum
from cinelex.projects import open_project
from tests.projects.ranks_worker import measure, overrides_of
from tests.ranks import run_on_ranks
from tests.tiny_run import CLIPSE, EQ_CONFIG, LATENT, MULTITASK, arguments

WORLDS, PARTS, BATCH = (1, 2, 4), (1, 2, 3), 13


@dataclass(frozen=True)
class Variant:
    """A shipped config at tiny size, and what is changed in it."""

    config: Path
    more: tuple[str, ...] = ()


VARIANTS = {
    "InfoNCE, captioning, masked, patches": Variant(
        MULTITASK, ("loss_weights.patch_contrastive=0.5",)
    ),
    "SigLIP, captioning, masked": Variant(MULTITASK, ("contrastive={name: siglip}",)),
    "InfoNCE, all tokens aggregated": Variant(
        MULTITASK, ("model.aggregate=tokens", "model.clip_pooling=mean")
    ),
    "latent captioning": Variant(LATENT),
    "similarity-aware negatives": Variant(CLIPSE),
    "semantic EQ": Variant(EQ_CONFIG),
}


def run_all(folder: Path) -> int:
    """Measure every variant on this rank."""
    torch.set_num_threads(1)
    distributed.start("cpu", timeout_s=600.0)
    rank, world = distributed.rank(), distributed.world_size()
    for number, variant in enumerate(VARIANTS.values()):
        for parts in PARTS:
            run = folder / f"run-{number}"
            given = _overrides(folder, variant)
            found = measure(given, run, config=variant.config, micro_batches=parts)
            save_file(found, folder / f"{number}-{world}-{parts}-{rank}.safetensors")
    distributed.stop()
    return 0


def difference(found: Mapping[str, Tensor], expected: Mapping[str, Tensor], kind: str) -> float:
    """Return the largest difference of terms or gradients, as a share of their length."""
    longest = max(float(value.norm()) for name, value in expected.items() if name.startswith(kind))
    return max(
        float((found[name] - value).norm()) / max(float(value.norm()), 1e-3 * longest)
        for name, value in expected.items()
        if name.startswith(kind)
    )


def parts_added_up(folder: Path, run: Path, variant: Variant) -> dict[str, Tensor]:
    """Return what accumulation without the cached outputs gives: the mean over the parts."""
    config = load_config(variant.config, _overrides(folder, variant))
    project = open_project(config, run)
    model = project.model()
    parts = next(project.batches(0)).split(2)
    for part in parts:
        terms = project.terms(model, part)
        (WeightedSum(project.weights(0))(terms) / len(parts)).backward()
    return {
        f"gradient/{name}": p.grad for name, p in model.named_parameters() if p.grad is not None
    }


def _overrides(folder: Path, variant: Variant) -> list[str]:
    changed = ("name=run", f"batch={BATCH}", *variant.more)
    return overrides_of(arguments(folder, folder / "cache", *changed, config=variant.config))


def main() -> int:
    """Measure at every world size and write the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run_all(folder)
        for world in WORLDS[1:]:
            run_on_ranks("benchmarks.equality", str(folder), world=world)
        sys.stdout.write(
            "| losses | processes | parts | terms | gradients |\n|---|---|---|---|---|\n"
        )
        for number, (name_of, variant) in enumerate(VARIANTS.items()):
            expected = load_file(folder / f"{number}-1-1-0.safetensors")
            for world in WORLDS:
                for parts in PARTS:
                    found = [
                        load_file(folder / f"{number}-{world}-{parts}-{rank}.safetensors")
                        for rank in range(world)
                    ]
                    worst = [max(difference(f, expected, kind) for f in found) for kind in KINDS]
                    sys.stdout.write(
                        f"| {name_of} | {world} | {parts} | {worst[0]:.1e} | {worst[1]:.1e} |\n"
                    )
            wrong = {**expected, **parts_added_up(folder, folder / f"run-{number}", variant)}
            share = difference(wrong, expected, "gradient")
            sys.stdout.write(f"| {name_of}, 2 parts added up | 1 | 2 | – | **{share:.1e}** |\n")
            sys.stdout.flush()
    return 0


KINDS = ("term", "gradient")

if __name__ == "__main__":
    sys.exit(run_all(Path(sys.argv[1])) if len(sys.argv) > 1 else main())
