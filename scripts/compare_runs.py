"""Compare image-text variants by retrieval: paired by image and seed, never by loss.

    python -m cinelex.scripts.compare_runs --first runs/baseline-seed* --second runs/adnce-seed*

Ends with 2 where the runs cannot be compared.
"""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import command, guarded
from cinelex.core.errors import UserError
from cinelex.metrics.equal_factor import Rounded, equal_factor, written
from cinelex.metrics.image_retrieval import CUTOFFS, DIRECTIONS
from cinelex.metrics.paired import paired_difference
from cinelex.projects.interface.results import read_results

MEASURES = tuple(f"recall_at_{k}" for k in CUTOFFS)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two groups of runs."""
    parser = argparse.ArgumentParser(prog="compare_runs", description=__doc__)
    parser.add_argument("--first", type=Path, nargs="+", required=True, help="runs, one a seed")
    parser.add_argument("--second", type=Path, nargs="+", required=True, help="runs, one a seed")
    parser.add_argument("--by", default="recall_at_1", help=f"one of {', '.join(MEASURES)}")
    options = parser.parse_args(arguments)
    say("\n".join(compare(options.first, options.second, by=options.by)))
    return 0


def compare(first: Sequence[Path], second: Sequence[Path], *, by: str) -> list[str]:
    """Return what can be said about the second group against the first.

    Raises:
        UserError: The measure is a loss or unknown, or seeds, data or images differ.
    """
    refuse_losses(by)
    groups = [_by_seed(runs) for runs in (first, second)]
    seeds = sorted(groups[0].keys() & groups[1].keys())
    if not seeds or groups[0].keys() != groups[1].keys():
        raise UserError(
            f"the runs have seeds {sorted(groups[0])} and {sorted(groups[1])}; a paired comparison "
            "needs the same seeds on both sides"
        )
    if len({tuple(_images(group[seed])) for group in groups for seed in seeds}) > 1:
        raise UserError("the runs were evaluated on different images; compare runs of one set")
    lines = []
    cutoff = int(by.rpartition("_")[2])
    for direction in DIRECTIONS:
        scores = [
            np.stack([_hits(group[seed], direction, cutoff) for seed in seeds]) for group in groups
        ]
        gap = paired_difference(*scores)
        means = [100 * float(score.mean()) for score in scores]
        lines.append(
            f"{direction} {by}: {means[0]:.2f} % -> {means[1]:.2f} %, difference "
            f"{100 * gap.value:+.2f} [{100 * gap.low:+.2f}, {100 * gap.high:+.2f}] points, "
            f"p {gap.p_value:.4f}, {gap.seeds} seeds, {gap.items} images: {gap.verdict}"
        )
    for seed in seeds:
        found = equal_factor(*(_metrics(group[seed]) for group in groups))
        if found is not None:
            lines.append(
                f"seed {seed}: every metric moved by {found.change:.2%}; independent changes agree "
                f"so well with p {found.p_value:.1g}, so this was not measured"
            )
    return lines


def refuse_losses(by: str) -> None:
    """Refuse to rank variants by a loss, and measures that there are not.

    Raises:
        UserError: Says why, and what to rank by.
    """
    if "loss" in by or by in ("ce", "contrastive"):
        raise UserError(
            f"--by {by}: variants are not ranked by a loss, because each defines its own "
            "(modulated tends to 1 + beta times InfoNCE for one and the same model); use "
            f"{MEASURES[0]}"
        )
    if by not in MEASURES:
        raise UserError(f"--by {by}: there are {', '.join(MEASURES)}")


def _by_seed(runs: Sequence[Path]) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for run in runs:
        if not (run / "predictions" / "retrieval.csv").exists():
            raise UserError(f"{run}: no image-text results; run --run_mode validate on it")
        seed = load_config(run / "config.yaml").seed
        if seed in found:
            raise UserError(f"{run} and {found[seed]} have the same seed {seed}")
        found[seed] = run
    if len({_data_hash(run) for run in runs}) > 1:
        raise UserError("the runs of one side read different data; compare one variant at a time")
    return found


def _data_hash(run: Path) -> str:
    """Return the hash of the images that a run's results were measured on.

    Raises:
        UserError: There are no results, or they do not say.
    """
    results = read_results(run)
    found = results.provenance.get("data") if results else None
    if not found:
        raise UserError(f"{run / 'results.json'}: says no data hash; run --run_mode validate on it")
    return str(found)


def _images(run: Path) -> list[str]:
    """Return the test images of a run, in order."""
    with (run / "predictions" / "retrieval.csv").open(newline="") as stream:
        return [row["image_id"] for row in csv.DictReader(stream)]


def _hits(run: Path, direction: str, cutoff: int) -> Float[np.ndarray, " image"]:
    with (run / "predictions" / "retrieval.csv").open(newline="") as stream:
        rows: list[Mapping[str, str]] = list(csv.DictReader(stream))
    if direction == DIRECTIONS[0]:
        return np.array([float(int(row["image_to_text_rank"]) <= cutoff) for row in rows])
    ranks = [[int(rank) for rank in row["text_to_image_ranks"].split()] for row in rows]
    return np.array([float(np.mean(np.array(some) <= cutoff)) for some in ranks])


def _metrics(run: Path) -> dict[str, Rounded]:
    places = {f"retrieval.{direction}": direction for direction in DIRECTIONS}
    results = read_results(run)
    scores = results.scores() if results else ()
    parted = ((score.name.rpartition("."), score.value) for score in scores)
    return {
        f"{places[place]}/{metric}": written(value)
        for (place, _, metric), value in parted
        if place in places and value is not None
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
