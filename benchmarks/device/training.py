"""Whole steps: how fast they are, and beside what."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.device.found import Found, Place
from benchmarks.device.studies import BASE, TINY, made_up
from cinelex.runners.train import Trainer

MULTITASK = "multitask_config.yaml"
PROVENANCE = {"config": "c", "data": "d", "code": "e"}


def trainer(place: Place, folder: str, name: str, *overrides: str) -> Trainer[Any]:
    """Return a trainer on drawn studies."""
    sizes = TINY if place.tiny else BASE if name == MULTITASK else ()
    changed = [key_of(one) for one in overrides]
    kept = [one for one in sizes if key_of(one) not in changed]
    config, project = made_up(name, *kept, *overrides)
    path = Path(folder)
    return Trainer(project, config, folder=path, device=place.device, provenance=PROVENANCE)


def key_of(override: str) -> str:
    """Return which value of a config is set."""
    return override.partition("=")[0]


def steps(place: Place) -> Iterator[Found]:
    """P5: the multitask step of a ViT-B/16, its share of the card's rate, three passes beside."""
    with TemporaryDirectory() as folder:
        one = trainer(place, folder, MULTITASK)
        batch = next(one.project.batches(0))
        on_device = batch.to(place.device)
        one.update(batch, on_device)
        one.update(batch, on_device)
        one.meter.restart()
        count = place.size(8, 1)
        for _ in range(count):
            one.update(batch, on_device)
        yield from _speeds("P5 multitask step, ViT-B/16 16 × 224²", one.meter.take(), 0.45)
        together = place.seconds(lambda: one.update(batch, on_device), rounds=3)
        weights = one.project.weights(0)
        apart = 0.0
        for name in weights:
            alone = {n: float(n == name) for n in weights}
            apart += place.seconds(
                lambda: one.gradients.of(on_device, alone, look=lambda _: None),  # noqa: B023
                rounds=3,
            )
        ratio = apart / together
        yield Found(
            "P5 the same beside a pass for each term",
            f"{1e3 * together:.0f} ms, {ratio:.2f} ×",
            "≥ 1.7 ×",
            ratio >= 1.7,
        )


def _speeds(what: str, speeds: dict[str, float], goal: float) -> Iterator[Found]:
    told = ", ".join(f"{name.removeprefix('speed/')} {n:.4g}" for name, n in speeds.items())
    yield Found(what, told, f"MFU ≥ {goal:g}", speeds["speed/mfu"] >= goal)


def masked(place: Place) -> Iterator[Found]:
    """P6: a video encoder that sees a tenth, beside VideoMAE of transformers of the same size."""
    from transformers import VideoMAEConfig, VideoMAEModel

    from cinelex.models.video_vit import VideoViT

    width, depth, size, clips = (16, 1, 32, 2) if place.tiny else (768, 12, 224, 16)
    heads, frames = max(2, width // 64), 16
    ours = VideoViT(
        width=width,
        frames=frames,
        size=size,
        channels=3,
        depth=depth,
        heads=heads,
        tubelet=(2, 16, 16),
    ).to(place.device)
    sizes = VideoMAEConfig(
        image_size=size,
        num_frames=frames,
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=4 * width,
    )
    theirs: Any = VideoMAEModel(sizes)
    theirs = theirs.to(place.device)
    tokens = frames // 2 * (size // 16) ** 2
    keep = torch.rand(clips, tokens, device=place.device).argsort(1)[:, : tokens // 10 or 1]
    pixels = torch.rand(clips, 3, frames, size, size, device=place.device)
    hidden = torch.ones(clips, tokens, dtype=torch.bool, device=place.device).scatter(
        1, keep, False
    )
    turned = pixels.transpose(1, 2).contiguous()

    def run(model: nn.Module, *given: Any, **named: Any) -> None:
        with torch.autocast(place.device.type, torch.bfloat16, enabled=place.on_gpu):
            out = model(*given, **named)
        (out if isinstance(out, Tensor) else out.last_hidden_state).float().mean().backward()

    taken = [
        place.seconds(partial(run, ours, pixels, keep)),
        place.seconds(partial(run, theirs, turned, bool_masked_pos=hidden)),
        place.seconds(partial(run, ours, pixels)),
    ]
    yield Found(
        "P6 encoder that sees a tenth, forward and backward, beside transformers VideoMAE",
        f"{1e3 * taken[0]:.2f} ms, {taken[0] / taken[1]:.2f} ×; all tokens {1e3 * taken[2]:.1f} ms",
        "≤ 1 ×",
        taken[0] <= taken[1],
    )


def recipe(place: Place) -> Iterator[Found]:
    """Run the recipe for 80 GB for 50 steps through the loop, loader and record included."""
    count = place.size(50, 3)
    with TemporaryDirectory() as folder:
        name = MULTITASK if place.tiny else "gpu_80gb.yaml"
        more = () if place.tiny else ("model.video_encoder.options={}",)
        lasts = (f"steps={count}", f"log_every={place.size(10, 1)}", "checkpoint_every=1000")
        one = trainer(place, folder, name, *more, *lasts)
        one.run()
        lines = (Path(folder) / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    speeds = [row for row in rows if "speed/mfu" in row][-1]
    kept = {name: value for name, value in speeds.items() if name.startswith("speed/")}
    yield from _speeds(f"recipe for 80 GB, {count} steps", kept, 0.35)
    stall = kept["speed/stall_share"]
    yield Found("P3 loader stall in it", f"{stall:.2%}", "< 2 %", stall < 0.02)
    losses = [row["loss"] for row in rows if row["kind"] == "step"]
    fell = losses[-1] < losses[0]
    yield Found(
        "loss of its first and last step", f"{losses[0]:.3f}, {losses[-1]:.3f}", "falls", fell
    )
