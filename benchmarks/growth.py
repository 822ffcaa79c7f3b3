"""P12: how the time to open a store, and to judge a record, grows with their length.

python -m benchmarks.growth [--quick]
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.device.studies import TINY, made_up
from benchmarks.series import Row, main, time_growth
from benchmarks.store_scale import write
from cinelex.config.schema import RunConfig
from cinelex.data.video.frame_store import FrameStore
from cinelex.doctor.check import diagnose_run
from cinelex.doctor.run_files import read_run
from cinelex.runners.train import Trainer

TRAINED = 40
"""Steps that are made; a longer record repeats them."""


def store_row(sizes: tuple[int, int], folder: Path, *, rounds: int) -> Row:
    """Open a store's index, and find every cine."""
    for size in sizes:
        write(folder / f"{size}", size)
    ways = {size: partial(open_and_find, folder / f"{size}") for size in sizes}
    return time_growth("opening a store and finding every video", ways, rounds=rounds)


def open_and_find(folder: Path) -> None:
    """Look every key up."""
    store = FrameStore(folder)
    assert len(store.rows(store.keys.combine_chunks())) == len(store)


def doctor_row(sizes: tuple[int, int], folder: Path, *, rounds: int) -> Row:
    """Read records of a run, and judge them by all rules."""
    config, project = made_up("multitask_config.yaml", *TINY, f"steps={TRAINED}", "device=cpu")
    device, about = torch.device("cpu"), {"config": "c", "data": "d", "code": "e"}
    Trainer(project, config, folder=folder / "run", device=device, provenance=about).run()
    made = [json.loads(line) for line in (folder / "run" / "metrics.jsonl").open()]
    made = [row for row in made if row["kind"] == "step"]
    ways: dict[int, Callable[[], None]] = {}
    for size in sizes:
        longer = folder / f"{size}"
        longer.mkdir()
        rows = ({**made[n % len(made)], "step": n + 1} for n in range(size))
        (longer / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        ways[size] = partial(judge, longer, config)
    return time_growth("reading and judging a record of steps", ways, rounds=rounds)


def judge(folder: Path, config: RunConfig) -> None:
    """Hear all rules."""
    diagnose_run(replace(read_run(folder), config=config))


def rows(quick: bool) -> list[Row]:
    """Measure both."""
    rounds, times = (3, 1) if quick else (5, 10)
    with TemporaryDirectory() as name:
        folder = Path(name)
        return [
            store_row((50_000 * times, 200_000 * times), folder / "store", rounds=rounds),
            doctor_row((2_000 * times, 8_000 * times), folder, rounds=rounds),
        ]


if __name__ == "__main__":
    sys.exit(main(rows, "benchmarks.growth"))
