"""The index of a store of millions: how long it takes to open, and how much memory.

    python -m benchmarks.store_scale [--videos 4000000]

The index is written as a merge would write it, over shards that are there but hold nothing; the
manifest's names are cells ``store:<key>``. Opening is timed in processes of their own, two at once.
Then a run's start: the manifest (eight cines a study), the prepared store, the run's own cache of
the same cines, and the dataset, whose reports have tokens already; with two workers forked from it.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cinelex.core.processes import child_environment
from cinelex.data.video.ingest import IngestSettings
from cinelex.data.video.resize import Shape
from cinelex.data.video.store_index import SCHEMA, write_index

PER_SHARD = 256
SETTINGS = IngestSettings(shape=Shape(size=224, channels=1))


def keys_of(videos: int, *, length: int = 40) -> list[str]:
    """Return the keys of cines, or (32) the hashes of their frames, by which a cache has them."""
    return [hashlib.sha256(f"{number}".encode()).hexdigest()[:length] for number in range(videos)]


def write(folder: Path, videos: int, *, length: int = 40) -> None:
    """Write the index of a store."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = keys_of(videos, length=length)
    number = np.arange(videos)
    shards = [f"frames-0-{n:016x}.u8" for n in range(-(-videos // PER_SHARD))]
    for shard in shards:
        (folder / shard).touch()
    same = {"frames": 16, "rows": 224, "columns": 224, "channels": 1, "total_frames": 60}
    size = 16 * 224 * 224
    columns = {
        "key": pa.array(keys, pa.large_string()),
        "digest": pa.array([bytes.fromhex(key[:32]) for key in keys], pa.binary(16)),
        "shard": pa.array(number // PER_SHARD, pa.int32()),
        "offset": pa.array(number % PER_SHARD * size, pa.int64()),
        "bytes": pa.array(np.full(videos, size), pa.int64()),
        **{name: pa.array(np.full(videos, value), pa.int32()) for name, value in same.items()},
        "timed": pa.array(np.zeros(videos), pa.int8()),
    }
    write_index(folder, pa.table([columns[name] for name in SCHEMA.names], SCHEMA), shards)


START = """
import json, multiprocessing, sys, time
from pathlib import Path
import numpy as np
from benchmarks.store_scale import SETTINGS, kib
from cinelex.data.studies.dataset import StudyDataset
from cinelex.data.studies.drops import decoded
from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.presence import missing_videos
from cinelex.data.studies.tokens import Tokens
from cinelex.data.text.tokenizer import train_tokenizer
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import ingest
from cinelex.data.video.sampling import Sampling

folder = Path(sys.argv[1])
base, begun, busy = kib("VmHWM", "status"), time.perf_counter(), time.process_time()
manifest = load_manifest(folder / "manifest.parquet")
read, read_peak = time.perf_counter() - begun, kib("VmHWM", "status")
assert not missing_videos(manifest.studies).any()
begun_ingest, busy_ingest = time.perf_counter(), time.process_time()
source = FrameStore(folder / "store")
videos = ingest(manifest.studies.video_names, root=folder, cache=folder / "cache",
    settings=SETTINGS, source=source)
ingested, ingest_cpu = time.perf_counter() - begun_ingest, time.process_time() - busy_ingest
found = decoded(manifest.studies, videos)
assert len(found.rejects) == 0
train = found.studies.of_split("train")
text_of = train.report_codes()[1]
ends = np.arange(1, text_of.max() + 2)
dataset = StudyDataset(train, found.store, train_tokenizer(["a b"], vocab_size=500, max_tokens=8),
    sampling=Sampling(frames=16), max_videos=4, seed=0,
    tokens=Tokens(np.zeros(len(ends), np.uint32), ends, text_of))
started, cpu = time.perf_counter() - begun, time.process_time() - busy
peak = kib("VmHWM", "status")
def work(queue, leave):
    for n in range(0, len(dataset), 100):
        study = dataset.studies[n]
        assert all(dataset.store.row(video) >= 0 for video in study.videos)
    queue.put((kib("Pss:", "smaps_rollup"), kib("Private_Dirty", "smaps_rollup")))
    leave.wait()
fork = multiprocessing.get_context("fork")
queue, leave = fork.Queue(), fork.Event()
workers = [fork.Process(target=work, args=(queue, leave)) for _ in range(2)]
for worker in workers: worker.start()
shares = [queue.get() for _ in workers]
own = kib("Pss:", "smaps_rollup")
leave.set()
for worker in workers: worker.join()
print(json.dumps({
    "videos": len(videos), "studies": len(dataset), "manifest_s": read, "ingest_s": ingested,
    "ingest_cpu_s": ingest_cpu, "start_s": started, "start_cpu_s": cpu,
    "manifest_peak_mib": read_peak / 1024, "peak_mib": peak / 1024, "libraries_mib": base / 1024,
    "all_three_mib": (own + sum(pss for pss, _ in shares)) / 1024,
    "a_workers_own_mib": max(dirty for _, dirty in shares) / 1024,
}))
"""
OPEN = """
import json, sys, time
from pathlib import Path
import numpy as np
from cinelex.data.video.frame_store import FrameStore
def kib(name, file):
    lines = open(f"/proc/self/{file}")
    return int(next(line for line in lines if line.startswith(name)).split()[1])

base = kib("VmHWM", "status")
begun, busy = time.perf_counter(), time.process_time()
store = FrameStore(Path(sys.argv[1]))
opened, open_cpu = time.perf_counter() - begun, time.process_time() - busy
begun, busy = time.perf_counter(), time.process_time()
rows = store.rows(store.keys.combine_chunks())
joined, join_cpu = time.perf_counter() - begun, time.process_time() - busy
assert (rows == np.arange(len(store))).all()
some = [store.keys[i].as_py() for i in range(0, len(store), len(store) // 1000)]
begun = time.perf_counter()
found = [store.stored(store.row(key)).offset for key in some]
each = (time.perf_counter() - begun) / len(some)
figures = {"videos": len(store), "open_s": opened, "open_cpu_s": open_cpu, "all_rows_s": joined}
figures |= {"all_rows_cpu_s": join_cpu, "look_up_us": 1e6 * each}
figures |= {"peak_mib": kib("VmHWM", "status") / 1024, "libraries_mib": base / 1024}
print(json.dumps(figures | {"private_mib": kib("Private_Dirty", "smaps_rollup") / 1024}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=4_000_000)
    videos = parser.parse_args().videos
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), videos)
        command = [sys.executable, "-c", OPEN, name]
        begun = time.perf_counter()
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, env=child_environment())
            for _ in range(2)
        ]
        for process in both:
            answer, _ = process.communicate()
            figures = {key: round(value, 2) for key, value in json.loads(answer).items()}
            sys.stdout.write(f"{figures}\n")
        sys.stdout.write(f"both processes: {time.perf_counter() - begun:.1f} s\n")
    with tempfile.TemporaryDirectory() as name:
        start(Path(name), videos)


def start(folder: Path, videos: int) -> None:
    """Measure a run's start."""
    write(folder / "store", videos)
    write(SETTINGS.folder(folder / "cache"), videos, length=32)
    study = np.arange(videos) // 8
    split = pa.array(["train", "val", "test"]).take(pa.array(np.where(study % 10 < 8, 0, 1)))
    words = "and some more words " * 7
    columns = {
        "study_id": [f"{n:016x}" for n in study],
        "video_path": [f"store:{key}" for key in keys_of(videos)],
        "report": [f"no significant disease in {n // 2} {words}" for n in study],
        "split": split,
    }
    pq.write_table(pa.table(columns), folder / "manifest.parquet")
    del columns, study, split
    ended = subprocess.run(
        [sys.executable, "-c", START, str(folder)],
        stdout=subprocess.PIPE, env=child_environment(), check=True,
    )  # fmt: skip
    figures = {key: round(value, 2) for key, value in json.loads(ended.stdout).items()}
    sys.stdout.write(f"a run's start: {figures}\n")


def kib(name: str, file: str) -> int:
    """Return one of the figures that the kernel keeps of this process."""
    lines = Path("/proc/self", file).read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


if __name__ == "__main__":
    main()
