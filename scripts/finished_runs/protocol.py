"""What two runs must share before their numbers may stand side by side."""

from dataclasses import dataclass
from pathlib import Path

from cinelex.config.flat import flat
from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.projects.interface.results import HASHES, Results, read_results

KEYS = ("data.test_split", "data.frames", "data.sampling.", "data.size", "data.max_videos")
"""Keys and sections that decide what a model is shown when it is measured."""


@dataclass(frozen=True)
class Measured:
    """A run with its results and the protocol under which they were measured."""

    path: Path
    config: RunConfig
    results: Results
    protocol: dict[str, str]
    """By what it is: gallery, split, frames, de-duplication, data …"""

    @property
    def name(self) -> str:
        """Return the name of the run's folder."""
        return self.path.name


def read_measured(run: Path) -> Measured:
    """Return a run's results with their protocol.

    Raises:
        UserError: There is no run, it was not evaluated, or its results name not every hash.
    """
    if not (run / "config.yaml").exists():
        raise UserError(f"{run}: no image-text results and no run; train it first")
    results, config = read_results(run), load_config(run / "config.yaml")
    if results is None:
        raise UserError(f"{run}: no results; run --run_mode validate on it")
    missing = [name for name in HASHES if not results.provenance.get(name)]
    if missing:
        raise UserError(
            f"{run / 'results.json'}: has no hash of {', '.join(missing)}, so it is unknown what "
            "it is of; run --run_mode validate on it"
        )
    return Measured(run, config, results, _protocol(config, results))


def _protocol(config: RunConfig, results: Results) -> dict[str, str]:
    counts = {name: str(count) for name, count in results.counts.items() if "retrieval" in name}
    settings = {name: str(value) for name, value in flat(config).items() if name.startswith(KEYS)}
    data = {"data": str(results.provenance["data"])[:12], "project": config.project}
    # galleries and queries tell de-duplication: identical reports stand once in a gallery
    return {**data, **settings, **counts}


def refuse_unlike(runs: list[Measured]) -> None:
    """Refuse runs that were not measured alike.

    Raises:
        UserError: Galleries, splits, frames, de-duplication or data differ; the message says which.
    """
    for other in runs[1:]:
        first = runs[0]
        names = [*dict.fromkeys((*first.protocol, *other.protocol))]
        differing = [
            f"{name}: {first.protocol.get(name, 'none')} and {other.protocol.get(name, 'none')}"
            for name in names
            if first.protocol.get(name) != other.protocol.get(name)
        ]
        if differing:
            raise UserError(
                f"{first.path} and {other.path} were not measured alike ({'; '.join(differing)}); "
                "evaluate both with one protocol (--run_mode validate --label NAME)"
            )
