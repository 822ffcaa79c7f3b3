"""Media files damaged at the header: what the decoder says, how long it takes, what it keeps.

    python -m benchmarks.media_fuzz [--files 2000] [--folder OTHER_FILES]

Every file's name and its end hold a planted name. Counts how each file ends, and exits with 1 if a
decoder died, a message or what any library wrote to the standard streams held that name, or the
child kept growing or kept files open.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cinelex.data.video.decode import Limits, VideoError
from cinelex.data.video.decoders import ChildDecoder
from cinelex.data.video.resize import Shape
from tests.data.conftest import write
from tests.data.video.mutants import CANARY, mutants, write_kinds

LIMITS = Limits(max_pixels=1 << 22, max_frames=1000, deadline_s=30)
SHAPE = Shape(size=16, channels=1)
WARM = 200
"""Files after which the child has its size."""


def state(pid: int) -> tuple[int, int]:
    """Return a process's resident MiB and open files."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20, len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def overheard(path: Path) -> Iterator[Path]:
    """Have what libraries and children write to the standard streams in a file instead."""
    kept = [os.dup(1), os.dup(2)]
    with path.open("wb") as stream:
        for number in (1, 2):
            os.dup2(stream.fileno(), number)
    try:
        yield path
    finally:
        for number, own in zip((1, 2), kept, strict=True):
            os.dup2(own, number)
            os.close(own)


def main() -> int:
    """Damage, decode, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--folder", type=Path, help="damage these files too")
    options = parser.parse_args()
    ends: Counter[str] = Counter()
    leaks, slowest = 0, 0.0
    states = []
    with (
        tempfile.TemporaryDirectory() as name,
        overheard(Path(name) / "said") as said,
        ChildDecoder(LIMITS, backend="pyav") as child,
    ):
        paths = write_kinds(Path(name), write)
        paths += sorted(options.folder.iterdir()) if options.folder else []
        for number, path in enumerate(mutants(paths, Path(name), options.files)):
            begun = time.perf_counter()
            try:
                child.read_stored(path, shape=SHAPE, stored_frames=4)
                ends["read"] += 1
            except VideoError as error:
                ends[type(error).__name__] += 1
                leaks += CANARY in str(error)
            slowest = max(slowest, time.perf_counter() - begun)
            if number in (WARM, options.files - 1) and child.pid is not None:
                states.append(state(child.pid))
        deaths = child.deaths
        leaks += said.read_bytes().count(CANARY.encode())
    sys.stdout.write(f"{options.files} files: {dict(ends)}; slowest {slowest:.2f} s\n")
    sys.stdout.write(f"deaths {deaths}, leaks {leaks}; MiB and open files then and now: {states}\n")
    grown = len(states) == 2 and (states[1][0] > states[0][0] + 200 or states[1][1] > states[0][1])
    return int(bool(deaths or leaks or grown or ends["VideoTimeout"]))


if __name__ == "__main__":
    sys.exit(main())
