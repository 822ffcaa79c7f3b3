"""Run one config with several seeds, then print all scores. Started by scripts/run_seeds.sh.

bash scripts/run_seeds.sh --base_config config/clipse/baseline.yaml --seeds 0,1,2 [key=value ...]
"""

import subprocess
import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from cinelex.config.load import load_config
from cinelex.config.shipped import config_file
from cinelex.core.console import say
from cinelex.core.csv_text import csv_of
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.core.leash import leashed
from cinelex.doctor.report.seeds import paired_nulls, write_seeds
from cinelex.metrics.seeds import student_interval
from cinelex.projects.interface.results import Score, read_results
from cinelex.scripts import commands

RUN = (sys.executable, "-m", "cinelex.core.entry", commands.RUN)
"""What runner.sh starts; an installed package has no runner.sh."""
RANGE = {"share": (0.0, 1.0), "rank": (1.0, inf)}
"""What a score of a unit cannot leave; Student's interval may."""
OPTIONS_WITH_VALUE = ("--selected_gpus", "--processes", "--use_wandb")


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run every seed, one after the other; return the code of the first run that failed."""
    parser = CommandLine(prog=prog("run_seeds.sh"), description=__doc__)
    parser.add_argument("--base_config", required=True)
    parser.add_argument("--seeds", default="0,1,2", help="comma-separated integers")
    for option in OPTIONS_WITH_VALUE:
        parser.add_argument(option)
    parser.add_argument("overrides", nargs="*", metavar="key.path=value")
    options = parser.parse_intermixed_args(arguments)
    seeds = read_seeds(options.seeds)
    config = load_config(config_file(options.base_config), options.overrides)
    passed = [
        part
        for option in OPTIONS_WITH_VALUE
        if (value := getattr(options, option.removeprefix("--"))) is not None
        for part in (option, value)
    ]
    overrides = [item for item in options.overrides if not item.startswith(("name=", "seed="))]
    names = {seed: f"{config.name}-seed{seed}" for seed in seeds}
    for seed, name in names.items():
        command = leashed(*RUN, "--base_config", options.base_config, *passed)
        own = [*overrides, f"name={name}", f"seed={seed}"]
        code = subprocess.run([*command, *own], check=False).returncode
        if code:
            return code
    path = config.folder / f"{config.name}.seeds.csv"  # no name-seed* matches it
    runs = [config.folder / name for name in names.values()]
    rows = agreement(runs)
    write_whole(path, csv_of(rows))
    page = write_seeds(path.with_suffix(".html"), config.name, rows, paired_nulls(runs))
    for row in rows:
        if row["mean"] is None:
            continue
        say(
            f"{row['group']}, {row['score']}: {row['mean']:.4g} ± {row['sd']:.2g} over "
            f"{len(seeds)} seeds"
        )
    say(f"written: {path}, {page}")
    return 0


def read_seeds(text: str) -> list[int]:
    """Return the seeds in ``0,1,2``.

    Raises:
        UserError: They are not different whole numbers from 0 on, or fewer than two.
    """
    parts = text.split(",")
    if len(set(parts)) != len(parts) or len(parts) < 2 or not all(p.isdecimal() for p in parts):
        raise UserError(f"--seeds must be different whole numbers like 0,1,2, got {text!r}")
    return [int(part) for part in parts]


def agreement(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """Return chance, mean, standard deviation and Student's 95 % interval over runs of every score.

    What a run leaves undefined has no mean; where all are alike, nothing is known of other seeds,
    and there is no interval.
    """
    found: dict[tuple[str, str], list[Score | None]] = {}
    for place, run in enumerate(runs):
        results = read_results(run)
        for group in results.groups if results else ():
            for score in group.scores:
                key = (group.title, score.label)
                found.setdefault(key, [None] * len(runs))[place] = score
    return [
        {"group": title, "score": label, **_over(scores)}
        | {run.name: _value(score) for run, score in zip(runs, scores, strict=True)}
        for (title, label), scores in found.items()
    ]


def _over(scores: Sequence[Score | None]) -> dict[str, float | None]:
    """Return what a score is over runs."""
    chances = [score.nulls.get("chance") if score else None for score in scores]
    values = [value for score in scores if (value := _value(score)) is not None]
    if len(values) < len(scores):
        return dict.fromkeys(("chance", "mean", "sd", "low", "high"))
    low, high = student_interval(values) if len(set(values)) > 1 else (None, None)
    if low is not None and high is not None and scores[0]:
        least, most = RANGE.get(scores[0].unit, (low, high))
        low, high = max(low, least), min(high, most)
    known = [null.value for null in chances if null and null.value is not None]
    chance = fmean(known) if len(known) == len(scores) else None
    return dict(chance=chance, mean=fmean(values), sd=stdev(values), low=low, high=high)


def _value(score: Score | None) -> float | None:
    return None if score is None else score.value


if __name__ == "__main__":
    sys.exit(guarded(main))
