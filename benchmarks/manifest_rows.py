"""P11 and its growth: a manifest of a million rows, loaded and checked, beside pandas.

python -m benchmarks.manifest_rows [--quick]
"""

import math
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pandas import read_csv

from benchmarks.manifest import PER_STUDY, ROWS, write_csv
from benchmarks.series import Row, main, of, once, spread
from cinelex.data.studies.manifest import load_manifest


def step(name: str, folder: Path) -> tuple[float, float]:
    """Return the processor seconds and the GiB of a step of `benchmarks.manifest`."""
    command = [sys.executable, "-m", "benchmarks.manifest", "--step", name]
    done = subprocess.run(
        [*command, "--folder", str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    last = done.stdout.splitlines()[-1].split()
    return float(last[3]), float(last[-2])


def rows(quick: bool) -> list[Row]:
    """Measure both."""
    count, rounds = (ROWS // 5, 3) if quick else (ROWS, 3)
    with TemporaryDirectory() as name:
        large, small = (Path(name) / size for size in ("large", "small"))
        for folder, size in ((large, count), (small, count // 4)):
            folder.mkdir()
            write_csv(folder / "many.csv", rows=size)
        found, read = (
            len(load_manifest(small / "many.csv").studies),
            len(read_csv(small / "many.csv")),
        )
        assert found * PER_STUDY == read == count // 4, f"{found} studies of {read} rows"
        ours, pandas, fewer = [], [], []
        for _ in range(rounds):
            ours.append(step("load", large))
            pandas.append(step("pandas", large))
            fewer.append(step("load", small))
    taken, held = (statistics.median(one[n] for one in ours) for n in (0, 1))
    theirs, less = (statistics.median(one[0] for one in each) for each in (pandas, fewer))
    ratios = [mine[0] / other[0] for mine, other in zip(ours, pandas, strict=True)]
    what = f"manifest of {count:,} rows, loaded and checked"
    return [
        Row(
            number="P11",
            what=what,
            figure=f"{taken:.1f} s",
            beside=f"{of('pandas')} read_csv, nothing checked, {theirs:.1f} s",
            ratio=spread(ratios),
            goal=5.0,
        ),
        Row(
            number="P11",
            what=f"{what}: memory of the process",
            figure=f"{held:.2f} GiB",
            beside="2 GiB",
            ratio=once(held / 2),
            goal=1.0,
        ),
        Row(
            number="P12",
            what=f"growth of a manifest from {count // 4:,} to {count:,} rows",
            figure=f"{less:.1f} to {taken:.1f} s",
            beside="exponent 1: O(N)",
            ratio=once(math.log(taken / less) / math.log(4)),
            goal=1.2,
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.manifest_rows"))
