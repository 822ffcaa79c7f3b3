"""The settings of a run of semantic EQ: from what a config names to what the project trains on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cinelex.config.schema import RunConfig
from cinelex.core.console import say
from cinelex.core.distributed import is_main, main_first
from cinelex.core.errors import UserError
from cinelex.core.files import hash_json, write_whole
from cinelex.data.eq.dataset import EqDataset, grouped_split
from cinelex.data.eq.file import EqFile, read_eq_file, vocabulary
from cinelex.data.eq.sampler import ClassBalancedSampler
from cinelex.data.synthetic.equalizer import EqSetSettings, make_eq_file


@dataclass(frozen=True)
class EqData:
    """Everything of the file that a run reads."""

    descriptors: tuple[str, ...]
    """The vocabulary, the most frequent first."""
    train: EqDataset
    validation: EqDataset
    test: EqDataset
    described: EqDataset
    """What inference describes: the test settings, or those of a file of their own."""
    not_described: Mapping[int, str]
    """Why each row of that file that cannot be used cannot, by its number from 1."""
    sampler: ClassBalancedSampler = field(repr=False)
    """The order of the training settings."""
    hash: str
    """Of the file's bytes, and of the way it was read."""

    def index_of(self, word: str) -> int:
        """Return which descriptor a word is, however it is written.

        Raises:
            UserError: It is none of the vocabulary; the message lists it.
        """
        plain = " ".join(word.lower().split())
        if plain not in self.descriptors:
            known = ", ".join(self.descriptors)
            raise UserError(f"{word!r} is not a learned descriptor; there are {known}")
        return self.descriptors.index(plain)


def open_eq_data(config: RunConfig, folder: Path) -> EqData:
    """Read the file, or make one first, and deal its people into splits.

    All ranks call it together; the main one writes what is written.

    Args:
        config: The run.
        folder: Where ``rejects.csv`` is written, usually the run's folder.

    Raises:
        UserError: Too little of the file can be used, or the pair of the evaluation is not in it.
    """
    eq = config.eq
    path = eq.file
    if path is None:
        settings = EqSetSettings(**eq.synthetic.model_dump())
        path = main_first(lambda: make_eq_file(settings, config.data.cache / "synthetic"))
    found = read_eq_file(path, reject_limit=eq.reject_limit)
    if is_main():
        write_whole(folder / "rejects.csv", _rejects(found))
    words = vocabulary(found.rows, min_settings=eq.min_settings, ignored=eq.ignored)
    _check_pair(eq.pair, words)
    # the pair first, so that the split is sure to have both everywhere
    ordered = (*eq.pair, *(word for word in words if word not in eq.pair))
    splits = grouped_split(found.rows, ordered, folds=eq.folds, seed=config.seed)
    sets = {name: EqDataset(rows, ordered, seed=config.seed) for name, rows in splits.items()}
    say(_counts(found, sets, ordered))
    described = sets["test"]
    not_described: Mapping[int, str] = {}
    if eq.inference_file is not None:
        others = read_eq_file(eq.inference_file, reject_limit=1.0)
        if not others.rows:
            first, why = next(iter(others.rejects.items()))
            raise UserError(
                f"eq.inference_file: no row of {eq.inference_file} can be used; row {first}: {why}"
            )
        described = EqDataset(others.rows, ordered, seed=config.seed)
        not_described = others.rejects
    return EqData(
        descriptors=ordered,
        train=sets["train"],
        validation=sets["val"],
        test=sets["test"],
        described=described,
        not_described=not_described,
        sampler=ClassBalancedSampler(
            sets["train"].labels.numpy(), batch=config.batch, seed=config.seed
        ),
        hash=hash_json(
            {
                "file": found.hash,
                "descriptors": ordered,
                "splits": {name: [row.id for row in rows] for name, rows in splits.items()},
            }
        ),
    )


def _check_pair(pair: tuple[str, str], words: tuple[str, ...]) -> None:
    missing = [word for word in pair if word not in words]
    if missing:
        raise UserError(
            f"eq.pair: {missing[0]!r} has too few settings to be learned; there are "
            f"{', '.join(words)}"
        )


def _rejects(found: EqFile) -> str:
    lines = [f"{number},{reason.strip()}" for number, reason in found.rejects.items()]
    return "\n".join(["row,reason", *lines]) + "\n"


def _counts(found: EqFile, sets: dict[str, EqDataset], words: tuple[str, ...]) -> str:
    parts = ", ".join(
        f"{name} {len(part)} by {len(set(part.people.tolist()))} people"
        for name, part in sets.items()
    )
    used = sum(len(part) for part in sets.values())
    return (
        f"settings: {parts}; {len(found.rows) - used} with no descriptor of the {len(words)} that "
        f"are learned; {len(found.rejects)} rows rejected"
    )
