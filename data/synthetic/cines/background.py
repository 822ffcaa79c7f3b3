"""What an angiogram shows besides vessels: lungs, spine, ribs, diaphragm, and how things move."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cinelex.data.synthetic.cines.views import View


def chest(
    view: View, generator: np.random.Generator, *, size: int, contrast: float
) -> Float[np.ndarray, "row column"]:
    """Return the absorption (nats) of what stands still: tissue, spine and ribs."""
    x = np.linspace(-1, 1, size, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, size, dtype=np.float32)[:, None]
    draw = generator.uniform(-1, 1, size=12).astype(np.float32)
    heart = 0.16 * np.exp(-(((x - 0.1) / 0.9) ** 2) - ((y - 0.2) / 0.8) ** 2)
    tissue = 0.28 + 0.09 * draw[0] * x + 0.08 * draw[1] * y + 0.05 * np.sin(2 * x + 3 * draw[2]) * y
    column = x - 0.35 * draw[3] - 0.9 * math.sin(math.radians(view.oblique)) - 0.05 * y
    vertebra = 1 + 0.28 * np.tanh(3 * np.sin(9 * (y + draw[4])))
    spine = 0.22 / (1 + np.exp(14 * (np.abs(column) - 0.23))) * vertebra
    ribs = np.zeros((size, size), dtype=np.float32)
    side = np.float32(1 if view.oblique >= 0 else -1)
    for number in range(5):
        middle = (
            -1.0 + 0.5 * number + 0.12 * draw[5] - 0.32 * side * x - 0.22 * (x + 0.3 * draw[6]) ** 2
        )
        width = 0.085 + 0.015 * draw[7 + number]
        away = np.abs(y + middle) / width
        ribs += np.where(away < 1.15, 0.5 + 0.5 * away**4, 0) * np.clip((1.15 - away) * 4, 0, 1)
    return (tissue + heart + contrast * (spine + 0.085 * ribs)).astype(np.float32)


@dataclass(frozen=True)
class Motion:
    """Heartbeat and breathing over a cine."""

    beats: float
    """Heartbeats in the cine."""
    phase: float
    """Of the heartbeat at the first frame, as a share."""
    squeeze: float
    """Share by which the heart shortens."""
    breath: float
    """Way of the diaphragm, as a share of the frame."""
    breath_phase: float

    def contraction(self, frames: int) -> Float[np.ndarray, " frame"]:
        """Return 0 (diastole) to 1 (systole): a fast squeeze, a slower return, then rest."""
        part = (self.phase + self.beats * np.arange(frames) / frames) % 1
        up, down = np.clip(part / 0.28, 0, 1), np.clip((part - 0.28) / 0.34, 0, 1)
        return 0.5 - 0.5 * np.cos(np.pi * up) - (0.5 - 0.5 * np.cos(np.pi * down))

    def breathing(self, frames: int) -> Float[np.ndarray, " frame"]:
        """Return the shift of the diaphragm in every frame, as a share of the frame."""
        angle = 2 * np.pi * (self.breath_phase + 0.35 * np.arange(frames) / frames)
        return 0.5 * self.breath * np.sin(angle)


def diaphragm(
    motion: Motion, generator: np.random.Generator, *, size: int, frames: int
) -> Float[np.ndarray, "frame row column"]:
    """Return the absorption of the dome at the lower edge, which breathing moves."""
    x = np.linspace(-1, 1, size, dtype=np.float32)
    y = np.linspace(-1, 1, size, dtype=np.float32)[:, None]
    height, middle = generator.uniform(0.5, 0.85), generator.uniform(-0.6, 0.6)
    edge = height + 0.3 * (x - middle) ** 2
    shift = 2 * motion.breathing(frames).astype(np.float32)[:, None, None]
    depth = y - edge[None, None, :].astype(np.float32) - shift
    return 0.3 * np.clip(depth / 0.07 + 0.5, 0, 1) + 0.25 * np.clip(depth, 0, None)


def warp(
    canvas: Float[np.ndarray, "frame height width"], motion: Motion, *, size: int,
    anchor: tuple[float, float], twist: float,
) -> Float[np.ndarray, "frame row column"]:  # fmt: skip
    """Sample a moving heart: squeeze and twist about `anchor` (−1 to 1), breathe up and down."""
    frames, height, width = canvas.shape
    c = motion.contraction(frames).astype(np.float32)[:, None, None]
    b = motion.breathing(frames).astype(np.float32)[:, None, None]
    grid = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    x, y = grid[None, None, :] - anchor[0], grid[None, :, None] - anchor[1]
    bend = np.float32(0.35 * motion.squeeze) * c
    column = x + c * (motion.squeeze * x + twist * y) + bend * np.sin(2.2 * y)
    row = y + c * (1.1 * motion.squeeze * y - twist * x) - bend * np.sin(2.2 * x) - 2 * b
    column = np.clip((column + anchor[0] + 1) * (width / 2) - 0.5, 0, width - 1.001)
    row = np.clip((row + anchor[1] + 1) * (height / 2) - 0.5, 0, height - 1.001)
    left, top = np.floor(column), np.floor(row)
    right, down = column - left, row - top
    first = np.arange(frames)[:, None, None] * (height * width)
    place = (top * width + left).astype(np.intp) + first
    flat = canvas.reshape(-1)
    upper = flat.take(place) * (1 - right) + flat.take(place + 1) * right
    lower = flat.take(place + width) * (1 - right) + flat.take(place + width + 1) * right
    return upper * (1 - down) + lower * down
