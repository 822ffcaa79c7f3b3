"""Configs with every key set to values of every kind: run to the end, or refused in one line.

    python -m benchmarks.fuzz_configs --count 2000 [--first 2000] [--out fuzz.json]

Each goes the whole way of a run, evaluation and page included, on tiny sets of which every id, path
and report holds a planted word, in a child that is killed where it hangs. What comes out is
counted: refused by the reader, refused later, or run; a traceback, a second line, or the planted
word in anything that is said is a defect, and is listed.
"""

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from inspect import signature
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import served
from benchmarks.planted import SICK, plant_settings, plant_studies
from benchmarks.served import judge
from cinelex.config.load import load_config
from cinelex.config.nearest import valid_keys
from cinelex.config.schema import RunConfig
from cinelex.core.entry import guarded
from cinelex.core.errors import UserError
from cinelex.projects import weight_keys
from cinelex.projects.names import TABLES
from tests.tiny_run import CLIPSE, EQ_CONFIG, LATENT, MULTITASK, arguments, call

CONFIGS = (MULTITASK, MULTITASK, LATENT, CLIPSE, EQ_CONFIG)
OWN = {"latent": LATENT, "clipse": CLIPSE, "eq": EQ_CONFIG, "contrastive": MULTITASK}
"""By the first name of a key, the config that reads it."""
VALUES = (
    *("null", "true", "0", "1", "2", "3", "-1", "1.5", "1e-4", "1e30", "-0.0", "9007199254740993"),
    *("''", "word", "'a b'", "../up", "absent/file", "'\u0000'", "é狭", "[]", "[1, 2]", "{}"),
    *("{name: timm}", "{name: vit, options: {depth: 0}}", "{start: 1, end: 0}", "[a, b, c]", "64"),
    *("{name: mean}", "{name: transformer, options: {heads: 3}}", "100000", "[0.5, 0.5]", "0.5"),
    "'null'",
)
LARGE = ("train", "val", "test", "rows", "people", "stock_scenes", "interpolation_steps", "steps")
"""Last names of keys of which a large value is no mistake, only long to wait for."""


def draw_config(number: int) -> tuple[Path, list[str]]:
    """Return a shipped config and one or two keys that are set to something.

    Half of the time the value is near the one that stands there, and a part is the one that has
    the option: those configs get further than the reader.
    """
    chance = random.Random(number)  # noqa: S311
    keys = _keys()
    key, entry = keys[(number * 7919) % len(keys)]
    config = CONFIGS[number % len(CONFIGS)]
    near = chance.random() < 0.5
    if near:
        config = OWN.get(key.partition(".")[0], config)
    changes = {}
    if entry and near:
        changes[key.partition(".options.")[0] + ".name"] = entry
    changes[key] = _near(config, key, chance) if near else chance.choice(VALUES)
    if chance.random() < 0.3:
        other, _ = chance.choice(keys)
        changes[other] = chance.choice(VALUES)
    for name, value in changes.items():
        if name.rpartition(".")[2] in LARGE and len(value) > 2 and value[:1].isdigit():
            changes[name] = "1"
    return config, [f"{name}={value}" for name, value in changes.items()]


@cache
def _keys() -> list[tuple[str, str]]:
    """Return every key of a config, and every option of every part with the part's name."""
    plain = [(key, "") for key in (*valid_keys(RunConfig), *weight_keys())]
    options = [
        (f"{key}.options.{name}", entry)
        for key, table in TABLES.items()
        for entry, made in table.items()
        for name in signature(made).parameters
    ]
    return [*plain, *sorted(options)]


@cache
def _defaults(config: Path) -> Mapping[str, Any]:
    return load_config(config).model_dump(mode="json")


def _near(config: Path, key: str, chance: random.Random) -> str:
    """Return a value like the one that a key has."""
    value: Any = _defaults(config)
    for name in key.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return json.dumps(not value)
    if isinstance(value, int):
        return str(chance.choice((0, 1, 2, 3, 7, value + 1, 2 * value, 10 * value)))
    if isinstance(value, float):
        return repr(chance.choice((0.0, 1.0, value / 10, 10 * value, 1e-6)))
    return chance.choice(("null", "true", "1", "2", "4", "8", "0.5", "[2, 8, 8]", "mean", "vit"))


def try_config(config: Path, changes: Sequence[str], folder: Path, data: Sequence[str]) -> str:
    """Run a config to its end as the command does; return how it ended."""
    given = arguments(folder / "runs", folder / "cache", "name=fuzz", *data, config=config)
    changed = [change.partition("=")[0] for change in changes]
    kept = [item for item in given[2:] if not _touches(item.partition("=")[0], changed)]
    try:
        load_config(config, [*kept, *changes])
        refused = "refused later"
    except UserError:
        refused = "refused by the reader"
    ended = judge(*call([*given[:2], *kept, *changes]))
    return refused if ended == "refused" else ended


def _touches(key: str, changed: Sequence[str]) -> bool:
    """Return whether a key is set anew, or stands above or below one that is."""
    return any(f"{key}.".startswith(f"{k}.") or f"{k}.".startswith(f"{key}.") for k in changed)


def planted_data(number: int, config: Path, folder: Path) -> list[str]:
    """Return the keys that make a config read planted data, sound or not."""
    kind = SICK[number // len(CONFIGS) % len(SICK)] if number % 3 == 0 else "sound"
    few = ["steps=2", "batch=4", "validate_every=1"]
    if config == EQ_CONFIG:
        return [f"eq.file={folder / 'settings.csv'}", *few]
    read = ["data.split_by_patient={train: 0.5, val: 0.25, test: 0.25}"] * (kind == "no_split")
    more = ["clipse.format=manifest"] if config == CLIPSE else []
    return [f"data.manifest={folder / kind}.csv", "evaluation.facts=none", *read, *more, *few]


def try_number(number: int, folder: Path, data: Path) -> str:
    """Run the config of a number in a folder of its own; return how it ended."""
    config, changes = draw_config(number)
    rmtree(folder / "runs", ignore_errors=True)
    return try_config(config, changes, folder, planted_data(number, config, data))


def _described(number: int) -> list[Any]:
    config, changes = draw_config(number)
    return [config.name, changes]


def run(numbers: Sequence[int]) -> list[tuple[Any, str]]:
    """Try configs in a child that is started anew where it dies or hangs."""
    with TemporaryDirectory() as outer:
        # whatever a path without a root names lies in here
        folder, data = Path(outer) / "deep" / "below", Path(outer) / "set"
        folder.mkdir(parents=True)
        data.mkdir()
        plant_studies(data)
        plant_settings(data, rows=300, people=30)
        command: list[str | Path] = ["benchmarks.fuzz_configs", "--serve", folder, data]
        return served.run(command, numbers, folder, _described)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count how many configs end how; return 1 where one ends in anything but a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", type=Path, nargs=2)
    options = parser.parse_args(arguments)
    if options.serve:
        served.serve(lambda number: try_number(number, *options.serve), _described)
        return 0
    found = run(range(options.first, options.first + options.count))
    return served.told(found, options.out)


if __name__ == "__main__":
    sys.exit(guarded(main))
