"""The road under faults, and over a folder that grows: the same result as a run that nobody ended.

    python -m benchmarks.road_faults --hospital HOSPITAL --folder WORK [--kills 6] [--memory]

One data set is made of all studies but one, then gone on with when that one is there as well. A
second one, under the same key, of the whole export from the start: its disk is too small at first,
decoders are killed, and the whole of it is killed at random moments. Ledger, manifest and every
frame of the two must be equal. The small disk is a file system in memory, mounted with ``--memory``
(which takes the right to mount); else a limit on the size of a file stands in for it. The exit code
is 1 where anything differs.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from cinelex.core.processes import child_environment
from cinelex.data.video.frame_store import FrameStore

CHILD = b"cinelex.data.prepare.child"
SMALL_SHARE = 0.4
"""Of the bytes of the undisturbed data set: what the disk has at first."""
LIMIT_KIB = 256
MOUNT, UNMOUNT = "/usr/bin/mount", "/usr/bin/umount"


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def command(hospital: Path, export: Path, out: Path) -> list[str]:
    """Return what a person types."""
    reports = hospital / "reports.csv"
    module = [sys.executable, "-m", "cinelex.scripts.prepare"]
    return [*module, f"--dicom={export}", f"--reports={reports}", f"--out={out}", "workers=2"]


def finish(words: list[str]) -> float:
    """Go the road to its end, say what it says of its work, and return the seconds."""
    begun = time.monotonic()
    ended = subprocess.run(words, env=child_environment(), capture_output=True, text=True)
    took = time.monotonic() - begun
    said = [line for line in ended.stdout.splitlines() if line.startswith(("inventory", "decoded"))]
    say(f"  {took:.0f} s; {'; '.join(said)}")
    if ended.returncode:
        raise SystemExit(ended.stderr)
    return took


def lay_out(hospital: Path, export: Path) -> tuple[Path, list[Path]]:
    """Link the export's files into another folder, and hold back those of one study."""
    source = hospital / "export"
    shutil.copytree(source, export, copy_function=os.link, symlinks=True)
    files = pd.read_parquet(hospital / "truth" / "files.parquet")
    own = files[files["study"] == files["study"].dropna().iloc[len(files) // 2]]
    return source, [Path(path) for path in own["path"]]


def grow(hospital: Path, export: Path, out: Path) -> float:
    """Prepare all studies but one, then the whole; return the seconds of the first run."""
    source, held_back = lay_out(hospital, export)
    for path in held_back:
        (export / path).unlink()
    say("all studies but one:")
    took = finish(command(hospital, export, out))
    for path in held_back:
        os.link(source / path, export / path)
    say(f"the {len(held_back)} files of that study added:")
    finish(command(hospital, export, out))
    return took


def like(whole: Path, out: Path) -> None:
    """Begin a data set that has nothing but the same key, so that keys can be compared."""
    (out / "private").mkdir(parents=True)
    shutil.copy(whole / "private" / "key", out / "private" / "key")
    shutil.copy(whole / "pseudonyms.json", out / "pseudonyms.json")


@contextmanager
def small_disk(folder: Path, size: int, *, memory: bool) -> Iterator[None]:
    """Give a folder a disk of its own, of so many bytes, if that may be done."""
    folder.mkdir(parents=True)
    if not memory:
        yield
        return
    subprocess.run([MOUNT, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        # at once for everybody else, and for us when the last shard is let go of
        subprocess.run([UNMOUNT, "--lazy", folder], check=True)


def meet_a_full_disk(words: list[str], folder: Path, *, memory: bool) -> None:
    """Run into the end of the disk, and make room."""
    limited = words if memory else ["bash", "-c", f'ulimit -f {LIMIT_KIB}; exec "$@"', "x", *words]
    # under a limit Python keeps the first part of what it compiles, and nobody could load that
    env = child_environment() | {"PYTHONDONTWRITEBYTECODE": "1"}
    ended = subprocess.run(limited, env=env, capture_output=True, text=True)
    lines = ended.stderr.splitlines()
    say(f"a full disk: exit code {ended.returncode}, {len(lines)} line: {lines[-1]}")
    if ended.returncode != 2 or "could not be written to" not in lines[-1]:
        raise SystemExit("the disk was not full, or nobody was told")
    if memory:
        subprocess.run([MOUNT, "-o", "remount,size=90%", folder], check=True)


def children(parent: int) -> list[int]:
    """Return the decoders of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            status = (folder / "status").read_text()
            own = int(status.split("PPid:")[1].split()[0])
            if own == parent and CHILD in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def disturb(words: list[str], draw: random.Random, moment: float) -> bool:
    """Kill a decoder on the way, and the whole after so many seconds; return whether it was."""
    process = subprocess.Popen(words, env=child_environment(), stdout=subprocess.DEVNULL)
    begun = time.monotonic()
    decoder_at, killed = draw.uniform(0.3, 0.9) * moment, 0
    while process.poll() is None and time.monotonic() < begun + moment:
        if not killed and time.monotonic() > begun + decoder_at:
            for child in children(process.pid)[:1]:
                os.kill(child, signal.SIGKILL)
                killed = child
        time.sleep(0.02)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    say(f"  after {moment:.1f} s: {'killed' if alive else 'had ended'}, a decoder: {bool(killed)}")
    return alive


def compare(one: Path, two: Path) -> bool:
    """Say whether two data sets are equal."""
    equal = {
        name: pq.read_table(one / name).equals(pq.read_table(two / name), check_metadata=True)
        for name in ("ledger.parquet", "manifest.parquet")
    }
    frames = []
    for folder in (one, two):
        store = FrameStore(folder / "store")
        digests = store.digests(np.arange(len(store)))
        pairs = zip(store.keys.to_pylist(), digests, strict=True)
        frames.append({key: digest.tobytes() for key, digest in pairs})
        equal[f"{folder.name}: every frame is what was written"] = store.verify() == []
    equal[f"frames of {len(frames[0])} cines"] = frames[0] == frames[1]
    for what, same in equal.items():
        say(f"{what}: {'equal' if same else 'DIFFERENT'}")
    return all(equal.values())


def main() -> int:
    """Go the road twice and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hospital", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="new; removed at the end")
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311 - moments of a benchmark
    export, whole, disk = (asked.folder / name for name in ("export", "whole", "disk"))
    took = grow(asked.hospital, export, whole)
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    with small_disk(disk, int(SMALL_SHARE * size), memory=asked.memory):
        out = disk / "disturbed"
        like(whole, out)
        words = command(asked.hospital, export, out)
        meet_a_full_disk(words, disk, memory=asked.memory)
        kills = 0
        while kills < asked.kills:
            kills += disturb(words, draw, draw.uniform(0.05, 0.4) * took)
        say(f"{kills} times killed; then to its end:")
        finish(words)
        same = compare(whole, out)
    shutil.rmtree(asked.folder)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
