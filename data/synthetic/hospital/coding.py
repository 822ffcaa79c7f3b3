"""Write pixels as DICOM holds them: raw, or coded by GDCM, Pillow or FFmpeg."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
from jaxtyping import UInt8
from pydicom.encaps import encapsulate

from cinelex.data.synthetic.hospital.shown import Samples, Shown

GRAYS: Final = 192
"""Entries of a palette that are grays; the other 64 are colours."""


@dataclass(frozen=True)
class Coding:
    """A way to code pixels."""

    uid: str
    """Of the transfer syntax."""
    gdcm: str | None = None
    """Name of the syntax in GDCM, where that codes."""
    lossless: bool = True
    reader: str = "pydicom"
    """What reads it best."""


CODINGS: Final[Mapping[str, Coding]] = {
    "implicit": Coding("1.2.840.10008.1.2"),
    "explicit": Coding("1.2.840.10008.1.2.1"),
    "deflated": Coding("1.2.840.10008.1.2.1.99"),
    "big_endian": Coding("1.2.840.10008.1.2.2"),
    "jpeg": Coding("1.2.840.10008.1.2.4.50", lossless=False, reader="pillow"),
    "jpeg_lossless": Coding("1.2.840.10008.1.2.4.70", "JPEGLosslessProcess14_1", reader="gdcm"),
    "jpeg_ls": Coding("1.2.840.10008.1.2.4.80", "JPEGLSLossless", reader="gdcm"),
    "jpeg_2000": Coding("1.2.840.10008.1.2.4.90", "JPEG2000Lossless", reader="openjpeg"),
    "rle": Coding("1.2.840.10008.1.2.5", "RLELossless", reader="rle"),
    "h264": Coding("1.2.840.10008.1.2.4.102", lossless=False, reader="ffmpeg"),
}
XRAY_CODINGS: Final = {
    "jpeg_lossless": 0.36, "explicit": 0.16, "implicit": 0.06, "jpeg": 0.12, "rle": 0.1,
    "jpeg_2000": 0.08, "jpeg_ls": 0.08, "deflated": 0.02, "big_endian": 0.02,
}  # fmt: skip
"""How often each is used for X-ray cines."""
ULTRASOUND_CODINGS: Final = {
    "jpeg": 0.44, "explicit": 0.1, "implicit": 0.04, "rle": 0.2, "h264": 0.12,
    "jpeg_lossless": 0.05, "jpeg_2000": 0.05,
}  # fmt: skip


@dataclass(frozen=True)
class Coded:
    """Pixels ready for a header."""

    content: bytes
    """The value of PixelData."""
    photometric: str
    encapsulated: bool


def code(shown: Shown, coding: Coding, *, split: bool = False) -> Coded:
    """Code a cine; with `split`, every frame lies in two fragments.

    Raises:
        ValueError: GDCM refuses.
    """
    frames = shown.stored
    if coding.uid == CODINGS["h264"].uid:
        return Coded(encapsulate([_h264(frames)], has_bot=False), "YBR_PARTIAL_420", True)
    if coding.uid == CODINGS["jpeg"].uid:
        photometric = "YBR_FULL_422" if frames.ndim == 4 else shown.photometric
        return _wrapped([_jpeg(frame) for frame in frames], photometric, split=split)
    if coding.gdcm is not None:
        made = _with_gdcm(frames, coding.gdcm, shown.bits)
        turned = frames.ndim == 4 and coding.gdcm == "JPEG2000Lossless"
        return _wrapped(made, "YBR_RCT" if turned else shown.photometric, split=split)
    swapped = coding.uid == CODINGS["big_endian"].uid and frames.itemsize == 2
    content = (frames.byteswap() if swapped else frames).tobytes()
    return Coded(content + b"\0" * (len(content) % 2), shown.photometric, False)


def _wrapped(frames: list[bytes], photometric: str, *, split: bool) -> Coded:
    content = encapsulate(frames, fragments_per_frame=2 if split else 1, has_bot=split)
    return Coded(content, photometric, True)


def with_palette(shown: Shown) -> Shown:
    """Return the same cine as places in a palette of 192 grays and 64 colours."""
    ramp = np.rint(np.arange(GRAYS) * (255 / (GRAYS - 1)))
    cube = np.array([[r, g, b] for r in range(4) for g in range(4) for b in range(4)]) * 85
    palette = np.concatenate([np.repeat(ramp[:, None], 3, axis=1), cube]).astype(np.uint8)
    colours = shown.stored.astype(np.int64)
    red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
    places = np.rint(red * ((GRAYS - 1) / 255)).astype(np.int64)
    tinted = (red != green) | (green != blue)
    mixed = GRAYS + (red // 64) * 16 + (green // 64) * 4 + blue // 64
    places[tinted] = mixed[tinted]
    stored = places.astype(np.uint8)
    return replace(
        shown, stored=stored, display=palette[stored], photometric="PALETTE COLOR", palette=palette
    )


def _with_gdcm(frames: Samples, name: str, bits: int) -> list[bytes]:
    """Return one coded fragment a frame."""
    import gdcm

    syntax = gdcm.TransferSyntax
    writer = gdcm.ImageWriter()  # its image is counted right; one of its own is not, and aborts
    image = writer.GetImage()
    image.SetNumberOfDimensions(3)
    image.SetDimensions((frames.shape[2], frames.shape[1], len(frames)))
    channels, kind = (3, "RGB") if frames.ndim == 4 else (1, "MONOCHROME2")
    held = 8 * frames.itemsize
    image.SetPixelFormat(gdcm.PixelFormat(channels, held, bits, bits - 1, 0))
    photometric = getattr(gdcm.PhotometricInterpretation, kind)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    image.SetTransferSyntax(syntax(syntax.ExplicitVRLittleEndian))
    if channels == 3:
        image.SetPlanarConfiguration(0)
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetByteStringValue(frames.tobytes())
    image.SetDataElement(pixels)
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(syntax(getattr(syntax, name)))
    change.SetInput(image)
    if not change.Change():
        raise ValueError(f"GDCM does not code {frames.shape} as {name}")
    coded = change.GetOutput().GetDataElement().GetSequenceOfFragments()
    texts = [
        coded.GetFragment(place).GetByteValue().GetBuffer()
        for place in range(coded.GetNumberOfFragments())
    ]
    return [text.encode("utf-8", "surrogateescape") for text in texts]


def _jpeg(frame: UInt8[np.ndarray, "row column *channel"]) -> bytes:
    """Return a baseline JPEG, with half the colours where there are any."""
    from PIL import Image

    target = io.BytesIO()
    options: dict[str, Any] = {"subsampling": "4:2:2"} if frame.ndim == 3 else {}
    Image.fromarray(frame).save(target, "JPEG", quality=93, **options)
    return target.getvalue()


def _h264(frames: UInt8[np.ndarray, "frame row column channel"]) -> bytes:
    """Return an mp4 file."""
    import av

    target = io.BytesIO()
    with av.open(target, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        stream.thread_count = 1
        stream.options = {"preset": "ultrafast", "crf": "12"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return target.getvalue()
