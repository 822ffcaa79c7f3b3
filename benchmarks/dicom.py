"""DICOM headers a second, and frames a second beside the decoder alone, by transfer syntax.

    python -m benchmarks.dicom [--rounds 7] [--frames 24] [--side 512] [--folder FOLDER]

The decoder alone is its library on the codes of the frames, already in memory, with an array as
the result; of uncompressed pixels it is pydicom's own way from the file. `read_cine` does the
rest too: it parses the header, reads the file, cuts it into frames, counts and checks them, and
makes 8 bit of 16 by the header's window or the cine's percentiles. Both take turns, in CPU time.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cinelex.data.dicom.decode import stored_frames
from cinelex.data.dicom.fragments import coded_frames, fragments
from cinelex.data.dicom.header import read_header
from cinelex.data.dicom.inventory import inspect
from cinelex.data.dicom.jpeg import gdcm_frame, pillow_frame
from cinelex.data.dicom.layout import layout
from cinelex.data.dicom.pixels import pixel_bytes, read_cine
from cinelex.data.dicom.pylibjpeg import openjpeg_frame, rle_frame
from cinelex.data.dicom.stream import stream_frames
from tests.data.dicom.files import recoded, write_cine, write_jpeg, write_video

WINDOW = {"BitsStored": 12, "HighBit": 11, "WindowCenter": "2048", "WindowWidth": "4096"}
Decode = Callable[[], Any]


def run_of_12_bit(frames: int, side: int) -> np.ndarray:
    """Return smooth, noisy frames as an X-ray machine makes them."""
    draw = np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] / side
    smooth = 1500 + 900 * np.sin(5 * x) * np.cos(4 * y)
    noisy = smooth + 25 * draw.standard_normal((frames, side, side))
    return np.clip(noisy, 0, 4095).astype(np.uint16)


def write_files(folder: Path, frames: int, side: int) -> dict[str, Path]:
    """Write one cine in every way that is timed."""
    deep = run_of_12_bit(frames, side)
    gray = (deep // 16).astype(np.uint8)
    colour = np.repeat(gray[..., None], 3, axis=-1)
    plain = write_cine(folder / "window", deep, **WINDOW)
    bare = {key: value for key, value in WINDOW.items() if not key.startswith("Window")}
    colours = {"PhotometricInterpretation": "YBR_FULL_422"}
    return {
        "uncompressed, 12 in 16 bit, window": plain,
        "uncompressed, 12 in 16 bit, percentiles": write_cine(folder / "percentiles", deep, **bare),
        "uncompressed, 8 bit": write_cine(folder / "gray", gray),
        "JPEG baseline, gray": write_jpeg(folder / "jpeg", gray, mode="L"),
        "JPEG baseline, 4:2:2 to RGB": write_jpeg(
            folder / "colour", colour, subsampling="4:2:2", **colours
        ),
        "JPEG lossless SV1": recoded(plain, folder / "lossless", JPEGLosslessSV1),
        "JPEG-LS": recoded(plain, folder / "jpeg_ls", JPEGLSLossless),
        "RLE": recoded(plain, folder / "rle", RLELossless),
        "JPEG 2000": recoded(plain, folder / "jpeg_2000", JPEG2000Lossless),
        "H.264": write_video(folder / "video", colour),
    }


def decoder_alone(name: str, path: Path) -> Decode:
    """Return a call of the library that decodes a file, with the codes in memory."""
    record, header = inspect(path), read_header(path)
    plan, data = layout(header, record), pixel_bytes(path, header)
    if name.startswith("uncompressed"):
        return lambda: dcmread(path).pixel_array
    if name == "H.264":
        stream = b"".join(fragments(data))
        return lambda: list(stream_frames(stream, plan))
    frame = {"JPEG ba": pillow_frame, "JPEG 20": openjpeg_frame, "RLE": rle_frame}.get(
        name[:7], gdcm_frame
    )
    codes = coded_frames(data, plan)
    assert sum(len(run) for run, _ in stored_frames(data, plan)) == len(codes)
    return lambda: [frame(code, plan) for code in codes]


def seconds(call: Decode) -> float:
    """Return the CPU time of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def compare(name: str, path: Path, rounds: int) -> str:
    """Return one line: frames a second of both, and their ratio with its spread."""
    record = inspect(path)
    alone, ours = decoder_alone(name, path), partial(read_cine, path, record)
    pairs = [(seconds(alone), seconds(ours)) for _ in range(rounds + 1)][1:]
    ratios = sorted(library / own for library, own in pairs)
    library, own = (record.frames / statistics.median(times) for times in zip(*pairs, strict=True))
    return (
        f"{name}: {own:.0f} frames/s, the decoder alone {library:.0f}; ratio "
        f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})\n"
    )


def headers(paths: list[Path], rounds: int) -> str:
    """Return one line: headers a second and core."""
    rates = [len(paths) / seconds(lambda: [inspect(path) for path in paths]) for _ in range(rounds)]
    return (
        f"headers of {len(paths)} files: {statistics.median(rates):.0f} a second "
        f"({min(rates):.0f} to {max(rates):.0f})\n"
    )


def main() -> int:
    """Time headers and pixels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--folder", type=Path, help="of DICOM files, for their headers")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), asked.frames, asked.side)
        sys.stdout.write(headers([*files.values()] * 20, asked.rounds))
        if asked.folder:
            found = [path for path in sorted(asked.folder.rglob("*")) if path.is_file()]
            sys.stdout.write(headers(found, asked.rounds))
        for name, path in files.items():
            sys.stdout.write(compare(name, path, asked.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
