"""Time and memory of a manifest of a million rows, beside what pandas takes to read the file.

``python -m benchmarks.manifest --folder F`` writes a CSV of 1,000,000 rows (250,000 studies, about
510 MB) and a Parquet file of 4,000,000 videos of 500,000 studies, and measures each step in a
process of its own: seconds of the clock, seconds of all cores, and the most memory it held. All
steps take turns, round after round, so that what else the machine does weighs on all alike; the
ratio to pandas is the median over rounds. A file that is there is not written again.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 1_000_000
PER_STUDY = 4
MANY_STUDIES = 500_000
MANY_PER_STUDY = 8
TEXT = (
    "right dominant circulation mild moderate severe stenosis of the proximal mid distal left "
    "anterior descending artery circumflex no significant disease collateral flow ostial lesion"
)
WORDS = TEXT.split()


def say(text: str) -> None:
    """Write a line without loading what a run's own messages need, which would be measured too."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_csv(path: Path, *, rows: int) -> None:
    """Write a row a video; reports hold commas, quotes and line breaks."""
    draw = random.Random(0)  # noqa: S311 - words of a benchmark
    with path.open("w", newline="") as stream:
        stream.write("study_id,video_path,report,split,patient_id\n")
        for study in range(rows // PER_STUDY):
            said = " ".join(draw.choices(WORDS, k=55))
            report = f'"{said[:200]}, {study % 10}0% ""tight"".\n{said[200:]} {study}"'
            split = ("train",) * 8 + ("val", "test")
            for view in range(PER_STUDY):
                place = f"videos/{study % 1000:03d}/study{study:07d}-view{view:02d}.mp4"
                stream.write(
                    f"study{study:07d},{place},{report},{split[study % 10]},p{study:07d}\n"
                )


def write_parquet(path: Path, *, studies: int) -> None:
    """Write a row a video of many studies, whose reports repeat."""
    owner = np.repeat(np.arange(studies), MANY_PER_STUDY)
    ids = pa.array([f"study{n:07d}" for n in range(studies)])
    reports = pa.array([" ".join(WORDS) + f" {n // 2}" for n in range(studies)])
    splits = pa.array(
        [("train", "val", "test")[min(n % 10 // 8 + n % 10 // 9, 2)] for n in range(studies)]
    )
    names = [f"v/{n % 1000:03d}/{n:08d}.mp4" for n in range(len(owner))]
    columns = {
        "study_id": ids.take(pa.array(owner)),
        "video_path": names,
        "report": reports.take(pa.array(owner)),
        "split": splits.take(pa.array(owner)),
    }
    pq.write_table(pa.table(columns), path)


def load(path: Path) -> None:
    """Load and check a manifest."""
    from cinelex.data.studies.manifest import load_manifest

    load_manifest(path)


def use(path: Path) -> None:
    """Load, split, group by report and by patient, and look at a thousand studies."""
    from cinelex.data.studies.manifest import load_manifest

    manifest = load_manifest(path)
    mark = time.monotonic()
    for split in manifest.splits():
        studies = manifest.split(split)
        studies.report_groups()
        studies.patient_groups()
    say(f"  of which splitting and grouping {time.monotonic() - mark:.1f} s")
    mark = time.monotonic()
    for place in range(0, len(manifest.studies), len(manifest.studies) // 1000):
        _ = manifest.studies[place]
    say(f"  of which looking at a study {1000 * (time.monotonic() - mark):.0f} µs")


def by_pandas(path: Path) -> None:
    """Read a CSV as pandas does by default; its faster reader takes no line breaks in cells."""
    import pandas as pd

    pd.read_csv(path)


STEPS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "load": ("csv", load),
    "pandas": ("csv", by_pandas),
    "load_many": ("parquet", load),
    "use_many": ("parquet", use),
}


def measure(name: str, path: Path) -> None:
    """Run one step in this process and say what it took."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    STEPS[name][1](path)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # not getrusage's, which begins with what the parent held
    peak = peak_kib() / 2**20
    say(f"{name:15s} {wall:6.1f} s   {cpu:6.1f} s of cores   {peak:5.2f} GiB")


def peak_kib() -> int:
    """Return the most memory that this process has held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def turns(folder: Path, rounds: int) -> None:
    """Measure every step in a process of its own, in turn, and say the ratio to pandas."""
    found: dict[str, list[list[float]]] = {name: [] for name in STEPS}
    for _ in range(rounds):
        for name, rows in found.items():
            again = [sys.executable, "-m", "benchmarks.manifest", "--step", name]
            words = [*again, "--folder", str(folder)]
            said = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
            sys.stdout.write(said)
            sys.stdout.flush()
            last = said.splitlines()[-1].split()
            rows.append([float(last[1]), float(last[3])])
    pairs = list(zip(found["load"], found["pandas"], strict=True))
    for what, place in (("of the clock", 0), ("of cores", 1)):
        ratios = sorted(ours[place] / theirs[place] for ours, theirs in pairs)
        middle = ratios[len(ratios) // 2]
        say(f"load / pandas, seconds {what}: {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def main() -> None:
    """Write the files, and measure every step in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "manifests")
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    files = {kind: arguments.folder / f"many.{kind}" for kind in ("csv", "parquet")}
    if arguments.step:
        measure(arguments.step, files[STEPS[arguments.step][0]])
        return
    if not files["csv"].exists():
        write_csv(files["csv"], rows=ROWS)
    if not files["parquet"].exists():
        write_parquet(files["parquet"], studies=MANY_STUDIES)
    turns(arguments.folder, arguments.rounds)


if __name__ == "__main__":
    main()
