"""The index of a store of millions: how long it takes to open, and how much memory.

    python -m benchmarks.store_scale [--videos 4000000]

The index is written as a merge would write it, over shards that are there but hold nothing; the
manifest's names are cells ``store:<key>``. Opening is timed in processes of their own, two at once.
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

from cinelex.core.processes import child_environment
from cinelex.data.video.store_index import SCHEMA, write_index

PER_SHARD = 256


def write(folder: Path, videos: int) -> None:
    """Write the index of a store."""
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(videos)]
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


if __name__ == "__main__":
    main()
