"""The encoder that is probed: of a trained run, or of the table with the weights it comes with."""

from pathlib import Path

import torch

from cinelex.config.build import build_at
from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core import checkpoint
from cinelex.core.errors import UserError, about
from cinelex.core.randomness import keyed_seed
from cinelex.core.weights import check_names, with_frozen
from cinelex.models import VIDEO_ENCODERS
from cinelex.models.adapters import Adapters, add_adapters, merge_adapters
from cinelex.models.contracts import VideoEncoder
from cinelex.models.probes import FrozenVideo
from cinelex.models.trunks import freeze
from cinelex.projects.interface.towers import Towers, read_towers

TOWERS = ("video_encoder.", "image_encoder.")
"""What the names of a run's video encoder begin with."""
SEEN = ("size", "channels", "frames")
"""Keys below ``data`` that decide what an encoder sees."""


def probed_encoder(config: RunConfig, towers: Towers) -> VideoEncoder:
    """Return the encoder, frozen or adapted as the config says.

    Args:
        config: The probing run.
        towers: What it keeps of its own encoder, where it has begun.

    Raises:
        UserError: The run is not there or saw other clips, or there is no such encoder.
    """
    asked = config.probing
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(keyed_seed(config.seed, "weights"))
        encoder = (
            _built(config, config, towers) if asked.run is None else _of_run(config, asked.run)
        )
        if config.model.video_lora is not None:
            if asked.frozen != "all":
                raise UserError("probing.frozen: adapters leave all frozen; set it to all")
            with about("model.video_lora"):
                add_adapters(encoder, Adapters(**config.model.video_lora.model_dump()))
            return encoder
    if asked.frozen == "all":
        return FrozenVideo(encoder)
    freeze(encoder, asked.frozen)
    return encoder


def fingerprint(run: Path | None) -> str:
    """Return the hash of the weights that are probed; empty for those of the table.

    Raises:
        UserError: There is no trained run.
    """
    return "" if run is None else _checkpoint(run).fingerprint


def _built(config: RunConfig, probing: RunConfig, towers: Towers) -> VideoEncoder:
    data = probing.data
    return build_at(
        "model.video_encoder",
        VIDEO_ENCODERS,
        config.model.video_encoder,
        width=config.model.width,
        frames=data.frames,
        size=data.size,
        channels=data.channels,
        kept=towers.get("video"),
    )


def _checkpoint(run: Path) -> checkpoint.Checkpoint:
    found = checkpoint.newest(run / "checkpoints", strict=True)
    if found is None:
        raise UserError(f"probing.run: {run} has no checkpoint; train the run first")
    kept = found.position.best_step is not None
    return checkpoint.best(found) if kept else found


def _of_run(config: RunConfig, run: Path) -> VideoEncoder:
    if not (run / "config.yaml").exists():
        raise UserError(f"probing.run: {run} is not a run; it has no config.yaml")
    own = load_config(run / "config.yaml")
    for key in SEEN:
        theirs, ours = getattr(own.data, key), getattr(config.data, key)
        if theirs != ours:
            raise UserError(
                f"data.{key}: {run} was trained with {theirs}, and {ours} is asked for here; set "
                f"data.{key}={theirs}"
            )
    encoder = _built(own, config, read_towers(run))
    if own.model.video_lora is not None:
        add_adapters(encoder, Adapters(**own.model.video_lora.model_dump()))
    found = _checkpoint(run)
    saved = {**with_frozen(found, _named(encoder)), **checkpoint.read(found.path, "ema")}
    tensors = {
        name.removeprefix(start): value
        for start in TOWERS
        for name, value in saved.items()
        if name.startswith(start)
    }
    if not tensors:
        raise UserError(f"probing.run: {run} is of project {own.project}, which has no encoder")
    check_names(found.path, tensors, encoder.state_dict())
    encoder.load_state_dict(tensors)
    if own.model.video_lora is not None:
        merge_adapters(encoder)
    return encoder


def _named(encoder: VideoEncoder) -> dict[str, torch.Tensor]:
    return {f"{TOWERS[0]}{name}": value for name, value in encoder.state_dict().items()}
