"""Decoding with PyAV, in this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from jaxtyping import UInt8

from cinelex.data.video.clock import Clock, check_size
from cinelex.data.video.decode import (
    Choose,
    Keep,
    Limits,
    VideoCorrupt,
    VideoInfo,
    VideoMissing,
    VideoTimeout,
    VideoUnreadable,
    VideoUnsupported,
)
from cinelex.data.video.decode_pillow import is_of_pillow, sweep_pictures
from cinelex.data.video.sniff import (
    can_be_read,
    picture_format,
    refuse_dicom,
    refuse_others,
    riff_is_cut_short,
)
from cinelex.data.video.streams import video_stream
from cinelex.data.video.transparency import rgb_of
from cinelex.data.video.turns import turn_of_frame, turn_of_picture

# Containers that hold their own frames. Playlists and scripts (hls, dash, concat, image sequences)
# would have the library open whatever they name.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg,gif,apng,"
    "h264,hevc,ivf,obu,dv,mxf,nut,yuv4mpegpipe,wav,mp3,flac,aac,"
    # still pictures: videos of one frame
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,pgm_pipe,ppm_pipe,j2k_pipe"
)
TIMELESS = frozenset({"h264", "hevc", "mjpeg", "m4v", "mpegvideo", "obu", "cavsvideo"})
"""Formats of bare frames, whose times FFmpeg makes up."""


@dataclass(frozen=True)
class PyAVDecoder:
    """Decodes with FFmpeg's libraries through PyAV; the default."""

    limits: Limits = Limits()
    device: str = "cpu"
    """The only one there is."""

    def probe(self, path: Path) -> VideoInfo:
        """Decode the video once and return the true number and size of its frames."""
        info, _ = self.sweep(path, lambda _: (), itself)
        return info

    def read(self, path: Path, indices: Sequence[int]) -> UInt8[np.ndarray, "frame row column 3"]:
        """Return the frames at ``indices`` as RGB; see ``Decoder.read``."""
        info, kept = self.sweep(path, lambda _: indices, itself)
        outside = [index for index in indices if not 0 <= index < info.frames]
        if outside:
            raise IndexError(f"frame {outside[0]} of a video of {info.frames}")
        if not indices:
            return np.empty((0, info.height, info.width, 3), np.uint8)
        return np.stack([kept[index] for index in indices])

    def read_chosen(
        self, path: Path, choose: Choose, keep: Keep
    ) -> tuple[VideoInfo, UInt8[np.ndarray, "frame row column channel"]]:
        """Return what ``keep`` makes of the frames that ``choose`` names, given their number.

        One pass where the container or its packets tell the number of frames; where they are wrong
        (hidden frames, edit lists, fields in packets of their own), a second pass with the number
        that came out of the first.
        """
        info, kept = self.sweep(path, choose, keep)
        chosen = choose(info.frames)
        if not kept.keys() >= set(chosen):
            info, kept = self.sweep(path, lambda _: chosen, keep)
        return info, np.stack([kept[index] for index in chosen])

    def packets(self, path: Path) -> int:
        """Return how many packets of video the file holds that are meant to be shown.

        Raises:
            VideoCorrupt: The container promises more packets, or a later end: it was cut short.
        """
        with self._opened(path) as (container, stream, clock):
            found = shown = 0
            end = last = 0.0
            for packet in container.demux():
                later = _end_s(packet)
                # some containers do not say how long the last frame is shown
                last = max(last, later - end) if found and not packet.duration else last
                end = max(end, later)
                if packet.stream.index == stream.index and packet.size > 0:
                    found += 1
                    shown += not packet.is_discard
                    clock.check(found)
            if container.format.name == "avi":
                if riff_is_cut_short(path):
                    raise VideoCorrupt("ends before the chunks that it promises")
                return shown
            if found < stream.frames:
                raise VideoCorrupt(f"holds {found} of the {stream.frames} frames it promises")
            promised_s = (container.duration or 0) / av.time_base
            if end + last < (1 - CUT_SHORT) * promised_s:
                raise VideoCorrupt(f"ends after {end:.1f} of the {promised_s:.1f} s it promises")
            if shown == 0:
                raise VideoCorrupt("holds no frame")
            return shown

    def sweep(
        self, path: Path, choose: Choose, keep: Keep
    ) -> tuple[VideoInfo, dict[int, UInt8[np.ndarray, "..."]]]:
        """Decode every frame and return those chosen, by index, as ``keep`` makes them.

        ``choose`` is given the number of frames that the container or its packets promise.
        """
        if is_of_pillow(path):
            return sweep_pictures(path, choose, keep, self.limits)
        asked = turn_of_picture(path) if picture_format(path) else None
        kept: dict[int, UInt8[np.ndarray, "..."]] = {}
        shape: tuple[int, int] | None = None
        total = 0
        times: list[float | None] = []
        reformatter = VideoReformatter()
        with self._opened(path) as (container, stream, clock):
            promised = stream.frames
            wanted = frozenset(choose(promised or self.packets(path)))
            for frame in container.decode(stream):
                clock.check(total + 1)
                if frame.is_corrupt:
                    raise VideoCorrupt(f"frame {total} is damaged")
                turn = asked or turn_of_frame(frame)
                shown = turn.shape(frame.height, frame.width)
                if shape not in (None, shown):
                    raise VideoUnsupported(f"the frame size changes at frame {total}")
                shape = shown
                if total in wanted:
                    kept[total] = keep(turn(rgb_of(frame, reformatter)))
                total += 1
                times.append(frame.time)
            name = container.format.name
            known = name not in TIMELESS and not name.endswith("_pipe")
        if shape is None:
            raise VideoCorrupt("no frame could be decoded")
        if total < promised and total < self.packets(path):
            raise VideoCorrupt(f"{total} of the {promised} frames it promises could be decoded")
        info = VideoInfo(total, *shape, _times_ms(times) if known else None)
        return info, kept

    @contextmanager
    def _opened(self, path: Path) -> Iterator[tuple[Any, Any, Clock]]:
        if not path.exists():
            raise VideoMissing("there is no such file")
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        seconds = self.limits.deadline_s
        opened = False
        refuse_dicom(path)
        try:
            kind, name = picture_format(path), f"file:{path}"
            # titles and names in a file are in any encoding, and read by nobody
            how: dict[str, Any] = {
                "options": options,
                "timeout": seconds,
                "metadata_errors": "replace",
            }
            with av.open(name, format=kind, **how) as container:
                stream = video_stream(container)
                opened = True
                self._check_size(stream)
                stream.codec_context.thread_count = 1
                stream.codec_context.options = {"max_pixels": str(self.limits.max_pixels)}
                yield container, stream, Clock(self.limits)
        except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError) as error:
            raise VideoUnsupported("no decoder for its codec") from error
        except av.error.ExitError as error:
            raise VideoTimeout(
                f"not read within {seconds:g} s; raise data.limits.deadline_s"
            ) from error
        except av.error.FFmpegError as error:
            number = error.errno if isinstance(error, OSError) else None
            if number in UNREADABLE and not (number in ALSO_OF_DAMAGE and can_be_read(path)):
                raise VideoUnreadable(f"the file system says {error.strerror}") from error
            refuse_others(path)
            if error.errno == UNLISTED and not opened:
                raise VideoUnsupported(
                    "it is of a format that is not read; convert it to MP4, or a picture to PNG"
                ) from error
            raise VideoCorrupt(f"the decoder says {error.strerror}") from error
        except OSError as error:
            raise VideoUnreadable(f"the file system says {error.strerror}") from error

    def _check_size(self, stream: Any) -> None:
        context = stream.codec_context
        rate = stream.average_rate or stream.base_rate
        seconds = float(stream.duration * stream.time_base) if stream.duration else 0.0
        promised = stream.frames or int(seconds * float(rate or 0))
        check_size(context.width, context.height, promised, self.limits)


CUT_SHORT = 0.1
"""Share of its promised length that a file may lack: time stamps are rounded."""
UNREADABLE = frozenset({1, 5, 12, 13, 23, 24, 110, 116})
"""errno of EPERM, EIO, ENOMEM, EACCES, ENFILE, EMFILE, ETIMEDOUT, ESTALE."""
UNLISTED = 22
"""errno of EINVAL, which a format is refused with that is not among those that are read."""
ALSO_OF_DAMAGE = frozenset({1, 5})
"""errno that FFmpeg gives for damaged files too."""


def _end_s(packet: Any) -> float:
    """Return the time at which a packet ends, 0 where it has none."""
    if packet.pts is None or packet.time_base is None:
        return 0.0
    return float((packet.pts + (packet.duration or 0)) * packet.time_base)


def _times_ms(times: list[float | None]) -> tuple[float, ...] | None:
    """Return times in milliseconds from the first frame on; None where they tell no order."""
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(known) < 2:
        return None
    if any(later <= earlier for earlier, later in pairwise(known)):
        return None
    return tuple(round(1000 * (time - known[0]), 6) for time in known)


def itself(pixels: UInt8[np.ndarray, "_ _ 3"]) -> UInt8[np.ndarray, "_ _ 3"]:
    """Return pixels as they are."""
    return pixels
