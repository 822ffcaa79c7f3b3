"""Put faults back into tables of predictions, ask the shipped command, and say what it names.

    python -m benchmarks.predictions_defects [--rows 4000] [--models 2] [--dim 128] [--seeds 5]
    python -m benchmarks.predictions_defects --rows 525319 --models 7 --dim 512 --seeds 1 --order

The healthy table is asked for each seed, and nothing may be found. ``--order`` asks that table and
rows in another order than their ids alone, for the time and memory of a large one. Each call is a
process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.predictions_made import Made, make
from cinelex.core.console import say

SEED = 20_260
"""Of the faults; none that the doctor would try."""
BASE = ("--key", "video_id", "--score", "ef=ef_true", "probability=low_ef", "--text", "written")


@dataclass(frozen=True)
class Fault:
    """Something that went wrong in a public project."""

    name: str
    rule: str
    says: str
    """What the finding that names it says."""
    put: Callable[[Made, np.random.Generator], Made]


def _order(made: Made, order: np.ndarray) -> Made:
    return Made(made.manifest, made.table, {n: m[order] for n, m in made.matrices.items()})


def _by_id(made: Made, _: np.random.Generator) -> Made:
    return _order(made, np.argsort(made.table["video_id"].to_numpy(str), kind="stable"))


def _by_workers(made: Made, _: np.random.Generator) -> Made:
    return _order(made, np.argsort(np.arange(len(made.table)) % 8, kind="stable"))


def _unknown_order(made: Made, random: np.random.Generator) -> Made:
    return _order(made, random.permutation(len(made.table)))


def _fresh_head(made: Made, random: np.random.Generator) -> Made:
    """Return predictions of a head whose weights never arrived."""
    rows = next(iter(made.matrices.values()))
    head = random.standard_normal(rows.shape[1]) / 40
    predicted = 55 + (rows - rows.mean(axis=0)) @ head
    truth = made.manifest["ef_true"].to_numpy()
    # what such a head says by chance is taken off, up to the R² that was reported
    noise = predicted - np.polyval(np.polyfit(truth, predicted, 1), truth)
    weak = (truth - truth.mean()) / truth.std() * noise.std() * np.sqrt(0.006 / 0.994)
    return Made(made.manifest, made.table.assign(ef=55 + noise + weak), made.matrices)


def _dead_workers(made: Made, _: np.random.Generator) -> Made:
    alive = ~np.isin(np.arange(len(made.table)) % 8, (2, 5))
    return Made(
        made.manifest,
        made.table[alive].reset_index(drop=True),
        {name: rows[alive] for name, rows in made.matrices.items()},
    )


def _other_videos(made: Made, random: np.random.Generator) -> Made:
    rows = len(made.table)
    failed = random.choice(rows, max(4, rows // 100), replace=False)
    donors = random.integers(0, rows, len(failed))
    order = np.arange(rows)
    order[failed] = donors
    return _order(made, order)


def _near_mean(made: Made, _: np.random.Generator) -> Made:
    ef = made.table["ef"]
    return Made(made.manifest, made.table.assign(ef=ef.mean() + 0.2 * (ef - ef.mean())), {})


def _one_direction(made: Made, random: np.random.Generator) -> Made:
    return Made(
        made.manifest,
        made.table,
        {name: rows + 1000 * np.sign(rows[:1]) for name, rows in made.matrices.items()},
    )


def _bold(made: Made, _: np.random.Generator) -> Made:
    odds = np.log(made.table["probability"].clip(1e-4, 0.9999))
    odds -= np.log(1 - made.table["probability"].clip(1e-4, 0.9999))
    bold = 1 / (1 + np.exp(-(3 * odds + 1)))
    return Made(made.manifest, made.table.assign(probability=bold), {})


def _by_vendor(made: Made, random: np.random.Generator) -> Made:
    low = made.manifest["low_ef"].to_numpy()
    vendor = np.where(random.random(len(low)) < 0.9, low, 1 - low)
    return Made(made.manifest.assign(vendor=np.where(vendor == 1, "A", "B")), made.table, {})


def _weak_group(made: Made, random: np.random.Generator) -> Made:
    noise = 15 * random.standard_normal(len(made.table)) * (made.manifest["vendor"] == "C")
    return Made(made.manifest, made.table.assign(ef=made.table["ef"] + noise), {})


def _blind_texts(made: Made, random: np.random.Generator) -> Made:
    texts = made.table["written"].to_numpy()[random.permutation(len(made.table))]
    return Made(made.manifest, made.table.assign(written=texts), {})


FAULTS = (
    Fault("embeddings sorted, ids not", "N1", "sorted by the ids as text", _by_id),
    Fault("embeddings of 8 workers, one after the other", "N1", "8 workers", _by_workers),
    Fault("embeddings in an unknown order", "N1", "no more alike than any two", _unknown_order),
    Fault("probe weights that never arrived, R² 0.006", "N4", "nothing of ef_true", _fresh_head),
    Fault("partial results of dead workers", "N2", "2 of 8 workers", _dead_workers),
    Fault("a random other video for each failed decode", "D9", "stand in for", _other_videos),
    Fault("answers near the mean", "N6", "spread 0.", _near_mean),
    Fault("embeddings that point one way", "D12", "mean cosine", _one_direction),
    Fault("probabilities too bold", "N18", "off the shares", _bold),
    Fault("label that goes with the vendor", "N8", "Metadata alone", _by_vendor),
    Fault("worse on one vendor", "N11", "worst where vendor is 'C'", _weak_group),
    Fault("texts of other videos", "D17", "no better than the same texts shuffled", _blind_texts),
)
"""Pixels normalised twice need the encoder: tests/doctor/predictions/test_encode.py puts them
back."""


def ask(made: Made, folder: Path, *more: str) -> tuple[list[dict[str, Any]], float, float]:
    """Return what the shipped command finds, the seconds it took and the GiB it held."""
    folder.mkdir(parents=True, exist_ok=True)
    made.manifest.to_csv(folder / "manifest.csv", index=False)
    made.table.to_csv(folder / "table.csv", index=False)
    files = []
    for name, rows in made.matrices.items():
        files.append(str(folder / f"{name}.npy"))
        np.save(files[-1], rows)
    embeddings = ("--embeddings", *files) if files else ()
    command = (sys.executable, "-m", "cinelex.core.entry", "cinelex.doctor.__main__")
    asked = ("predictions", str(folder / "table.csv"), "--manifest", str(folder / "manifest.csv"))
    began = time.monotonic()
    done = subprocess.run(
        [*command, *asked, *BASE, "--subgroup", "vendor", *embeddings, *more, "--json"],
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = time.monotonic() - began
    if not done.stdout.startswith("["):
        raise RuntimeError(done.stdout + done.stderr)
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return json.loads(done.stdout), seconds, held


def main(arguments: list[str] | None = None) -> int:
    """Ask all; return 1 if a fault was not named or a healthy table was blamed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--models", type=int, default=2)
    parser.add_argument("--dim", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--order", action="store_true")
    options = parser.parse_args(arguments)
    wrong = 0
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for seed in range(options.seeds):
            healthy = make(options.rows, options.models, options.dim, seed)
            found, seconds, held = ask(healthy, folder)
            wrong += bool(found)
            names = ", ".join(one["rule"] for one in found) or "nothing"
            say(f"healthy, seed {seed}: {names} ({seconds:.0f} s, {held:.2f} GiB)")
        for fault in FAULTS[: 1 if options.order else None]:
            sick = fault.put(healthy, np.random.default_rng(SEED))
            found, seconds, held = ask(sick, folder)
            named = [
                one
                for one in found
                if one["rule"] == fault.rule and fault.says in one["statement"] + one["cause"]
            ]
            wrong += not named
            others = sorted({one["rule"] for one in found} - {fault.rule})
            value = f"{named[0]['measured']:.3g}" if named else "-"
            say(
                f"{'named' if named else 'MISSED'}: {fault.name}: {fault.rule} {value} "
                f"(others: {', '.join(others) or 'none'}; {seconds:.0f} s, {held:.2f} GiB)"
            )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
