"""Two groups of runs compared on the same people and seeds, from predictions that they kept."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cinelex.core.errors import UserError
from cinelex.metrics.equal_factor import Rounded, equal_factor, written
from cinelex.metrics.image_retrieval import CUTOFFS
from cinelex.metrics.paired import paired_difference
from cinelex.runners.record import read_rows
from cinelex.scripts.finished_runs.protocol import Measured, read_measured, refuse_unlike

MEASURES = tuple(f"recall_at_{k}" for k in CUTOFFS)


@dataclass(frozen=True)
class Ranks:
    """At which ranks each held-out sample found what is its own, by direction."""

    items: list[str]
    people: list[str]
    """Of each item; itself where the run kept none."""
    of: dict[str, list[list[int]]]

    def hits(self, direction: str, cutoff: int) -> Float[np.ndarray, " item"]:
        """Return the share of each item's own partners that are found by a rank."""
        return np.array([np.mean(np.array(some) <= cutoff) for some in self.of[direction]])


def compare(first: Sequence[Path], second: Sequence[Path], *, by: str) -> list[str]:
    """Return what can be said about the second group against the first.

    Raises:
        UserError: The measure is a loss or unknown; a run has no predictions or a hash is missing;
            or seeds, protocols or samples differ.
    """
    refuse_losses(by)
    groups = [_by_seed(runs) for runs in (first, second)]
    seeds = sorted(groups[0].keys() & groups[1].keys())
    if not seeds or groups[0].keys() != groups[1].keys():
        raise UserError(
            f"the runs have seeds {sorted(groups[0])} and {sorted(groups[1])}; a paired comparison "
            "needs the same seeds on both sides"
        )
    runs = [group[seed] for group in groups for seed in seeds]
    refuse_unlike(runs)
    ranks = [[read_ranks(group[seed].path) for seed in seeds] for group in groups]
    everyone = [one for some in ranks for one in some]
    if len({tuple(one.items) for one in everyone}) > 1:
        raise UserError("the runs were evaluated on different samples; compare runs of one set")
    _, owner = np.unique(everyone[0].people, return_inverse=True)
    lines = []
    for direction in everyone[0].of:
        cutoff = int(by.rpartition("_")[2])
        scores = [np.stack([one.hits(direction, cutoff) for one in some]) for some in ranks]
        gap = paired_difference(*scores, groups=owner)
        means = [100 * float(score.mean()) for score in scores]
        lines.append(
            f"{direction} {by}: {means[0]:.2f} % -> {means[1]:.2f} %, difference "
            f"{100 * gap.value:+.2f} [{100 * gap.low:+.2f}, {100 * gap.high:+.2f}] points, "
            f"p {gap.p_value:.4f}, {gap.seeds} seeds, {gap.items} samples of {owner.max() + 1} "
            f"people: {gap.verdict}"
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


def _by_seed(runs: Sequence[Path]) -> dict[int, Measured]:
    found: dict[int, Measured] = {}
    for run in runs:
        measured = read_measured(run)
        seed = measured.config.seed
        if seed in found:
            raise UserError(f"{run} and {found[seed].path} have the same seed {seed}")
        found[seed] = measured
    return found


def read_ranks(run: Path) -> Ranks:
    """Return the ranks that a run kept, of images or of studies.

    Raises:
        UserError: It kept none.
    """
    images, studies = (run / "predictions" / f"retrieval.{kind}" for kind in ("csv", "jsonl"))
    if images.exists():
        with images.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        items = [row["image_id"] for row in rows]
        found = [[int(row["image_to_text_rank"])] for row in rows]
        back = [[int(rank) for rank in row["text_to_image_ranks"].split()] for row in rows]
        people = [row.get("patient", row["image_id"]) for row in rows]
        return Ranks(items, people, {"image_to_text": found, "text_to_image": back})
    kept = read_rows(studies)
    if not kept:
        raise UserError(f"{run}: no retrieval results; run --run_mode validate on it")
    items = [str(row["study_id"]) for row in kept]
    people = [str(row.get("patient", row["study_id"])) for row in kept]
    return Ranks(items, people, {"study_to_report": [[int(row["rank"])] for row in kept]})


def _metrics(run: Measured) -> dict[str, Rounded]:
    return {
        score.name: written(score.value)
        for score in run.results.scores()
        if score.name.startswith("retrieval.") and score.value is not None
    }
