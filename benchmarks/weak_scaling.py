"""Weak scaling on paper: what travels in a step, how long it takes, and what saturates first.

    python -m benchmarks.weak_scaling

The bytes are those of the shipped config's model and batch; links are nominal. The time of a step
without any exchange is a column, not a claim: put in what the record says (``step_ms``).

An all-reduce of n bytes over W processes takes 2 (W - 1) / W n / bandwidth + 2 (W - 1) latency
(ring), a gather (W - 1) / W n / bandwidth + (W - 1) latency. The gradients travel while backward
runs, about two thirds of a step; what does not fit into that time is waited for. The gathers of the
contrastive loss stand between forward and backward and are always waited for.
"""

import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory

from torch import nn

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.data.text.tokenizer import train_tokenizer
from cinelex.projects.studies.parts import build_video_text
from tests.tiny_run import MULTITASK

STUDIES, CLIPS = 32, 3
"""Studies of one process in a step, and clips of a study."""
WORLDS = (8, 64)
STEP_MS = (10.0, 50.0, 200.0)
BACKWARD = 2 / 3
"""Share of a step in which the gradients can travel unseen."""


@dataclass(frozen=True)
class Link:
    """The slowest link of a ring."""

    name: str
    bytes_per_s: float
    """Of one process, in one direction."""
    latency_s: float


LINKS = {
    8: Link("NVLink, 450 GB/s", 450e9, 5e-6),
    64: Link("8 nodes, 400 Gb/s a GPU", 50e9, 10e-6),
}
SHARED_DISK = 2e9 / 8
"""Bytes a second and process that a shared file system gives a node of eight."""


def all_reduce(size: float, world: int, link: Link) -> float:
    """Return the seconds of a ring all-reduce of ``size`` bytes."""
    return 2 * (world - 1) * (size / world / link.bytes_per_s + link.latency_s)


def gather(size: float, world: int, link: Link) -> float:
    """Return the seconds until every process has ``size`` bytes, of which it brings a share."""
    return (world - 1) * (size / world / link.bytes_per_s + link.latency_s)


def lines(model: nn.Module, config: RunConfig) -> list[str]:
    """Return a table of efficiencies."""
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    clip = config.data.frames * config.data.size**2 * config.data.channels
    read = STUDIES * CLIPS * clip
    rows = [
        f"{parameters:,} trained parameters, {4 * parameters / 2**20:.1f} MiB of gradients; "
        f"{read / 2**20:.1f} MiB of frames a process and step; {STUDIES} studies a process.",
        "",
        "| GPUs | link | gradients | embeddings | frames from a shared disk "
        + "".join(f"| {ms:g} ms " for ms in STEP_MS)
        + "| saturates first below |",
        "|---|" + "---|" * (5 + len(STEP_MS)),
    ]
    for world in WORLDS:
        link = LINKS[world]
        gradients = all_reduce(4 * parameters, world, link)
        # two towers there, and the gradient of a rank's own rows back (a reduce-scatter, which
        # moves as many bytes as a gather)
        table = 4 * STUDIES * world * config.model.dim
        embeddings = 2 * 2 * gather(table, world, link)
        disk = read / SHARED_DISK
        efficiencies = [
            step / (max(step, disk) + embeddings + max(0.0, gradients - BACKWARD * step))
            for step in (ms / 1000 for ms in STEP_MS)
        ]
        limits = {"gradients": gradients / BACKWARD, "the shared disk": disk}
        first = max(limits, key=lambda name: limits[name])
        rows.append(
            f"| {world} | {link.name} | {1e3 * gradients:.2f} ms | {1e3 * embeddings:.2f} ms "
            f"| {1e3 * disk:.1f} ms "
            + "".join(f"| {share:.0%} " for share in efficiencies)
            + f"| {first}, {1e3 * limits[first]:.1f} ms |"
        )
    return rows


def main() -> int:
    """Print the table for the shipped config and for encoders of a usual size."""
    with TemporaryDirectory() as folder:
        base = [f"folder={folder}"]
        token_ids = train_tokenizer(["a report"] * 4, vocab_size=1024, max_tokens=128)
        wide = [
            "model.width=768",
            "model.video_encoder.options.depth=12",
            "model.text_encoder.options.depth=12",
            "model.video_encoder.options.heads=12",
            "model.text_encoder.options.heads=12",
            "data.size=224",
            "data.frames=16",
            "data.channels=3",
        ]
        for name, more in (("Shipped config", []), ("Base-sized encoders, 224 pixels", wide)):
            config = load_config(MULTITASK, [*base, *more])
            text = "\n".join(lines(build_video_text(config, token_ids), config))
            sys.stdout.write(f"{name}: {text}\n\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
