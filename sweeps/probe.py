"""One step of one configuration, made to see which keys are read and which numbers come out.

It also decodes and caches the studies before the trials ask for them all at once.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.config.watched import watched
from cinelex.core.entry import command
from cinelex.core.files import write_json
from cinelex.projects import PROJECTS, check_project
from cinelex.runners.train import Trainer
from cinelex.sweeps.outcomes import names_of, plain_name


@dataclass(frozen=True)
class Probed:
    """What one step showed."""

    read: list[str]
    """Keys that were read; one that ends in ``.*`` stands for all below it."""
    weighted: list[str]
    """Loss terms that have a weight."""
    validated: list[str]
    """Numbers of the validation record."""
    results: list[str]
    """Numbers of the results; empty unless one had to be looked up there."""


def probe(config: RunConfig, objectives: Sequence[str], device: torch.device) -> Probed:
    """Build everything, make one update, validate once, and evaluate where that is needed.

    Raises:
        UserError: The config cannot be run; for instance an option that no part takes.
    """
    check_project(config)  # of the config itself, because it looks at every key
    seen, read = watched(config)
    with tempfile.TemporaryDirectory() as folder:
        project = PROJECTS[config.project].open(seen, Path(folder), None)
        trainer = Trainer(project, seen, folder=Path(folder), device=device, provenance={})
        trainer.model.train()
        trainer.update(next(iter(project.batches(0))))
        trainer.books.record.close()
        weighted = list(project.weights(0))
        trainer.model.eval()
        validated = list(project.validate(trainer.module))
        results: list[str] = []
        if not {plain_name(name) for name in objectives} <= set(validated):
            results = names_of(project.evaluate(trainer.module, Path(folder)))
    return Probed(sorted(read), weighted, validated, results)


@command
def main(path: str, answer: str, *objectives: str) -> int:
    """Probe a config file in a process of its own, and leave the answer in another file."""
    config = load_config(path)
    cuda = config.device != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    write_json(Path(answer), asdict(probe(config, objectives, device)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
