"""What the doctor wants to know of pretrained towers."""

from typing import Any

import torch

from cinelex.data.video.transforms import to_float
from cinelex.models.arrival import Arrival
from cinelex.models.contracts import TextEncoder, VideoEncoder
from cinelex.models.video_text import VideoText

LEVELS = (0, 100, 255)
"""Of gray clips that are looked at."""


@torch.no_grad()
def tower_diagnostics(model: VideoText) -> dict[str, Any]:
    """Return what arrived, what was fitted to another grid, and how far off pixels are.

    Nothing of towers that are fresh, nor of what a checkpoint does not say.
    """
    found: dict[str, Any] = {}
    for name, tower in (("video", model.video_encoder), ("text", model.text_encoder)):
        if tower.arrival is not None:
            ways = tower.arrival.interpolated.items()
            found[f"towers/{name}/interpolated"] = [f"{what} {way}" for what, way in ways]
            if tower.arrival.checksums:
                found |= _arrived(name, tower, tower.arrival)
    tower = model.video_encoder
    if tower.pixels is not None and tower.pixels.own is not None:
        found["towers/video/pixels_off"] = _off(tower, *tower.pixels.own)
    return found


def _arrived(name: str, tower: VideoEncoder | TextEncoder, arrival: Arrival) -> dict[str, Any]:
    """Return which share of the tensors that arrived is still what it was; positions may differ."""
    lost = arrival.lost(tower.get_submodule(tower.trunk))
    fitted = len(arrival.interpolated)
    share = 1 - max(0, len(lost) - fitted) / max(1, len(arrival.pairs))
    return {f"towers/{name}/arrived": share}


def _off(tower: VideoEncoder, mean: tuple[float, ...], std: tuple[float, ...]) -> float:
    """Return how far gray clips, as a run gives them, are from what a checkpoint was trained on."""
    device = tower.normalize.mean.device
    off = 0.0
    for level in LEVELS:
        clip = torch.full((1, 1, 1, 1, len(mean)), level, dtype=torch.uint8, device=device)
        seen = tower.normalize(to_float(clip)).flatten()
        due = (level / 255 - torch.tensor(mean, device=device)) / torch.tensor(std, device=device)
        off = max(off, float((seen - due).abs().max()))
    return off
