"""Tissue as ultrasound shows it: what was dark is bright, and speckle lies over it."""

from typing import Final

import numpy as np
from jaxtyping import Float, UInt8

FLOOR: Final = 0.16
"""Brightness of tissue without echo, as a share of the brightest."""
BRIGHTEST: Final = 150
"""Gray level of the brightest tissue, in the mean over its speckle."""
BLACK: Final = 2
"""Gray level that is added everywhere, and the least there is."""


def tissue(
    levels: UInt8[np.ndarray, "frame y x"] | Float[np.ndarray, "frame y x"],
) -> Float[np.ndarray, "frame y x"]:
    """Return the brightness, 0 to 1, of tissue where a cine has these gray levels, 0 to 255."""
    return (FLOOR + (1 - FLOOR) / 255 * (255 - levels)).astype(np.float32)


def echo(
    pixels: UInt8[np.ndarray, "frame y x"], height: int, width: int, draw: np.random.Generator
) -> UInt8[np.ndarray, "frame row column"]:
    """Stretch a cine to rows and columns of this number, as tissue under speckle.

    Speckle drifts with the tissue and is partly new in every frame.
    """
    frames = len(pixels)
    row = np.arange(height) * pixels.shape[1] // height
    column = np.arange(width) * pixels.shape[2] // width
    wide = tissue(pixels)[:, row[:, None], column[None, :]]
    drift = _speckle((height + frames, width), draw)
    still = np.stack([drift[number : number + height] for number in range(frames)])
    new = _speckle((frames, height, width), draw)
    bright = BRIGHTEST * wide * (0.5 * still + 0.5 * new)
    return np.clip(bright + BLACK, BLACK, 255).astype(np.uint8)


def without_speckle(clean: Float[np.ndarray, "frame y x"]) -> Float[np.ndarray, "frame y x"]:
    """Return what `echo` is on average of a cine without noise; both in 0 (black) to 1."""
    return np.float32(1 / 255) * (BRIGHTEST * tissue(255 * clean) + BLACK)


def _speckle(shape: tuple[int, ...], draw: np.random.Generator) -> Float[np.ndarray, "*shape"]:
    """Return Rayleigh noise with the mean 1, a little longer across the rays than along them."""
    noise = draw.standard_exponential(shape, dtype=np.float32)
    noise[..., 1:] = 0.6 * noise[..., 1:] + 0.4 * noise[..., :-1]
    return np.sqrt(noise) / np.float32(0.93)
