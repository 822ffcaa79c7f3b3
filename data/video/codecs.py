"""Stored bytes of frames: raw, or compressed without loss, a frame at a time."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import UInt8

Compression = Literal["none", "zstd"]
SUFFIXES: dict[Compression, str] = {"none": ".u8", "zstd": ".zst"}
"""How the names of shards end, which say how to read them."""
LEVEL = 1


def pack(
    frames: UInt8[np.ndarray, "frame row column channel"], compression: Compression
) -> list[bytes | memoryview]:
    """Return the bytes to store.

    ``zstd`` compresses what each pixel differs by from the one on its left, modulo 256, and puts
    the compressed size of every frame (4 bytes, little-endian) ahead, so that some can be read
    without the others. Measured in docs/why/log.md.
    """
    if compression == "none":
        return [np.ascontiguousarray(frames).data.cast("B")]
    codec = pa.Codec("zstd", LEVEL)
    differences = frames.copy()
    differences[:, :, 1:] -= frames[:, :, :-1]
    packed = [codec.compress(frame.data.cast("B"), asbytes=True) for frame in differences]
    return [np.array([len(data) for data in packed], "<u4").tobytes(), *packed]


def unpack(
    stored: UInt8[np.ndarray, " byte"],
    shape: tuple[int, int, int, int],
    compression: Compression,
    indices: Sequence[int] | None = None,
) -> UInt8[np.ndarray, "frame row column channel"]:
    """Return frames from stored bytes: all of them, or those at ``indices``, which may repeat.

    All raw frames are returned without a copy.
    """
    if compression == "none":
        frames = stored[: math.prod(shape)].reshape(shape)
        return frames if indices is None else frames.take(indices, 0)
    sizes = stored[: 4 * shape[0]].view("<u4").astype(np.int64)
    ends = 4 * shape[0] + np.cumsum(sizes)
    chosen = range(shape[0]) if indices is None else indices
    unpacked = np.empty((len(chosen), *shape[1:]), np.uint8)
    frame_bytes = math.prod(shape[1:])
    for place, index in enumerate(chosen):
        data = stored[ends[index] - sizes[index] : ends[index]]
        raw = pa.decompress(pa.py_buffer(data), decompressed_size=frame_bytes, codec="zstd")
        _sum_rows(np.frombuffer(raw, np.uint8), unpacked[place])
    return unpacked


def _sum_rows(
    differences: UInt8[np.ndarray, " byte"], sums: UInt8[np.ndarray, "row column channel"]
) -> None:
    """Fill in the sums of differences from the left of each row on, modulo 256.

    The whole frame is summed as one line, by steps that double, many bytes at once; a running sum
    takes four times as long. Then what the rows above have brought is taken off.
    """
    line, longer = differences.copy(), np.empty_like(differences)
    step = sums.shape[2]
    while step < len(line):
        longer[:step] = line[:step]
        np.add(line[step:], line[:-step], out=longer[step:])
        line, longer = longer, line
        step *= 2
    running = line.reshape(sums.shape)
    sums[0] = running[0]
    np.subtract(running[1:], running[:-1, -1:], out=sums[1:])


def packed_bytes(
    stored: UInt8[np.ndarray, " byte"], shape: tuple[int, int, int, int], compression: Compression
) -> int:
    """Return how many of the stored bytes are frames; frame times may follow them."""
    if compression == "none":
        return math.prod(shape)
    return 4 * shape[0] + int(stored[: 4 * shape[0]].view("<u4").sum(dtype=np.int64))
