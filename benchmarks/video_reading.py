"""P1, P2 and P3: clips from videos by each decoder, from the store, and through the loader.

    python -m benchmarks.video_reading [--size 512]

P1 and P2 are CPU time of one thread, all ways in turn, round after round; their ratios are the
medians over rounds, with the lowest and the highest. P3 is time of the clock with two workers. What
another library does is what its own first example does.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from cinelex.data.loader import train_batches
from cinelex.data.sampler import StudySampler
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.text.tokenizer import train_tokenizer
from cinelex.data.video.codecs import Compression
from cinelex.data.video.decode_pyav import PyAVDecoder
from cinelex.data.video.frames import frame_indices
from cinelex.data.video.ingest import IngestSettings, ingest
from cinelex.data.video.resize import Shape, reshape_frame
from cinelex.data.video.sampling import Sampling
from cinelex.data.video.videos import StoredVideos

FRAMES, CLIP, VIDEOS, BATCH = 64, 16, 16, 4
Way = Callable[[], object]


def cine(seed: int, size: int) -> np.ndarray:
    """Return frames of noise on a moving pattern, as hard to compress as an angiogram."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] / size
    moves = [120 + 60 * np.sin(9 * columns + 4 * rows + seed + n / 5) for n in range(FRAMES)]
    noisy = np.stack(moves) + draw.normal(0, 5, (FRAMES, size, size))
    return noisy.clip(0, 255).astype(np.uint8)


def write_h264(path: Path, frames: np.ndarray) -> None:
    """Write frames as exports have them: H.264, 15 frames a second."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=Fraction(15))
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.options = {"crf": "20", "g": "30", "preset": "veryfast"}
        for picture in frames:
            frame = av.VideoFrame.from_ndarray(picture, format="gray")
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode())


def cpu_s(work: Way, *, least: float = 0.3) -> float:
    """Return the CPU seconds of one call, over as many as take ``least``."""
    begun, calls = time.process_time(), 0
    while time.process_time() - begun < least:
        work()
        calls += 1
    return (time.process_time() - begun) / calls


def by_pyav(path: Path, chosen: list[int]) -> object:
    """Read with PyAV, frame after frame."""
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        frames = enumerate(container.decode(video=0))
        return [frame.to_ndarray(format="rgb24") for n, frame in frames if n in chosen]


def by_decord(path: Path, chosen: list[int]) -> np.ndarray:
    """Read with decord."""
    import decord

    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    return reader.get_batch(chosen).asnumpy()


def by_torchcodec(path: Path, chosen: list[int]) -> object:
    """Read with torchcodec."""
    decoders: Any = import_module("torchcodec.decoders")
    return decoders.VideoDecoder(str(path), num_ffmpeg_threads=1).get_frames_at(chosen).data


def in_turn(ways: dict[str, Way], *, rounds: int, each: int = 1) -> list[dict[str, float]]:
    """Return, for every round, how many a second of a core each way does, ``each`` a call."""
    for work in ways.values():
        work()
    return [{name: each / cpu_s(work) for name, work in ways.items()} for _ in range(rounds)]


def beside(rates: list[dict[str, float]], way: str, other: str) -> str:
    """Return how many times as fast one way is as another."""
    ratios = sorted(each[way] / each[other] for each in rates)
    middle = statistics.median(ratios)
    return f"{way} / {other} {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def decoders(path: Path) -> dict[str, Way]:
    """Return the ways to read 16 frames of a video of 64."""
    chosen = frame_indices(FRAMES, frames=CLIP, draw=None)
    ours = PyAVDecoder()
    return {
        "here": lambda: ours.read_chosen(path, lambda _: chosen, lambda frame: frame),
        "PyAV": lambda: by_pyav(path, chosen),
        "decord": lambda: by_decord(path, chosen),
        "torchcodec": lambda: by_torchcodec(path, chosen),
    }


def stored(folder: Path, videos: list[Path], size: int) -> dict[str, Way]:
    """Return the ways to a clip: from the store, a plain memmap and decord."""
    sampling = Sampling(frames=CLIP)
    ways: dict[str, Way] = {}
    both: tuple[Compression, ...] = ("none", "zstd")
    for compression in both:
        settings = IngestSettings(shape=Shape(size=size, channels=1), compression=compression)
        cache = folder / compression
        read = ingest(videos, root=folder, cache=cache, settings=settings, workers=2)
        for video in videos:  # into the page cache
            read.frames(video)
        ways[f"store, {compression}"] = _a_clip(read, videos, sampling)
    whole = np.stack([cine(0, size)[..., None] for _ in videos])
    whole.tofile(folder / "memmap")
    mapped = np.memmap(folder / "memmap", np.uint8, "r", shape=whole.shape)
    places = cycle(range(len(videos)))
    chosen = frame_indices(FRAMES, frames=CLIP, draw=0.3)
    ways["numpy.memmap"] = lambda: np.asarray(mapped[next(places)][chosen])
    turn = cycle(videos)
    ways["decord"] = lambda: by_decord(next(turn), chosen)
    return ways


def _a_clip(read: StoredVideos, videos: list[Path], sampling: Sampling) -> Way:
    turn = cycle(videos)
    return lambda: read.clip(next(turn), sampling, draw=0.3)


class Decorded(Dataset[torch.Tensor]):
    """The common recipe: a clip is decoded and scaled whenever it is asked for."""

    def __init__(self, videos: list[Path], size: int) -> None:
        self.videos, self.shape = videos, Shape(size=size, channels=1)

    def __len__(self) -> int:
        return len(self.videos)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return a clip."""
        frames = by_decord(self.videos[index], frame_indices(FRAMES, frames=CLIP, draw=None))
        return torch.from_numpy(
            np.stack([reshape_frame(frame, shape=self.shape) for frame in frames])
        )


def loaded(folder: Path, videos: list[Path], size: int) -> dict[str, float]:
    """Return the clips a second that two workers put into batches, by the clock."""
    lines = [f"s{n},{video.name},report {n},train" for n, video in enumerate(videos)]
    path = folder / "manifest.csv"
    path.write_text("\n".join(["study_id,video_path,report,split", *lines]) + "\n")
    studies = load_manifest(path).studies
    settings = IngestSettings(shape=Shape(size=size, channels=1))
    store = ingest(videos, root=folder, cache=folder / "none", settings=settings)
    tokenizer = train_tokenizer(studies.reports, vocab_size=600, max_tokens=16)
    cut = Sampling(frames=CLIP)
    dataset = StudyDataset(studies, store, tokenizer, sampling=cut, max_videos=1, seed=0)
    sampler = StudySampler(studies=len(videos), batch=BATCH, seed=0)
    ours = train_batches(dataset, sampler, start_step=0, workers=2)
    common = DataLoader(Decorded(videos, size), batch_size=BATCH, num_workers=2)
    return {
        "loader": _clips_per_s(ours, 100),
        "DataLoader and decord": _clips_per_s(iter(common), VIDEOS // BATCH - 1),
    }


def _clips_per_s(batches: Iterator[Any], count: int) -> float:
    next(batches)
    begun = time.perf_counter()
    taken = sum(1 for _ in islice(batches, count))
    return taken * BATCH / (time.perf_counter() - begun)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    size, rounds = asked.size, asked.rounds
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        videos = [folder / f"{n}.mp4" for n in range(VIDEOS)]
        for number, path in enumerate(videos):
            write_h264(path, cine(number, size))
        rates = in_turn(decoders(videos[0]), rounds=rounds, each=CLIP)
        fastest = max(list(rates[0])[1:], key=lambda way: statistics.median(r[way] for r in rates))
        say(f"P1, frames a second of a core, {size} px", rates, beside(rates, "here", fastest))
        rates = in_turn(stored(folder, videos, size), rounds=rounds)
        pairs = [("store, none", "numpy.memmap"), ("store, none", "decord")]
        ratios = [beside(rates, *pair) for pair in [*pairs, ("store, zstd", "decord")]]
        say(f"P2, clips a second of a core, {size} px", rates, *ratios)
        say(f"P3, clips a second, two workers, {size} px", [loaded(folder, videos, size)])


def say(what: str, rates: list[dict[str, float]], *ratios: str) -> None:
    """Write a line: the median of every way, then ratios."""
    medians = {way: statistics.median(each[way] for each in rates) for way in rates[0]}
    listed = ", ".join(f"{way} {rate:,.0f}" for way, rate in medians.items())
    sys.stdout.write("; ".join([f"{what}: {listed}", *ratios]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
