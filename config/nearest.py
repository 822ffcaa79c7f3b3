"""The valid keys of a config, the one that somebody probably meant, and what a key expects."""

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

MIN_LIKENESS = 0.6
HABITS = {
    "batch_size": "batch",
    "bs": "batch",
    "epochs": "steps",
    "lr": "optimizer.learning_rate",
    "manifest": "data.manifest",
    "max_steps": "steps",
    "num_frames": "data.frames",
    "num_workers": "data.workers",
    "output_dir": "folder",
    "patch_contrastive_weight": "loss_weights.patch_contrastive",
    "tau": "temperature",
    "text_freeze_ratio": "model.text_frozen",
    "video_freeze_ratio": "model.video_frozen",
}
"""What other codebases, and this one earlier, call a key."""


@cache
def valid_keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Return every dotted key of ``model``, sections before what is in them."""
    return tuple(dict.fromkeys(_keys(model)))


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        for inner in _inner(field.annotation):
            yield f"{name}.{inner}"


def _inner(annotation: Any) -> Iterator[str]:
    """Yield the keys below a field: of a section, of each of a union; a mapping's are free."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _keys(annotation)
        return
    if get_origin(annotation) is dict:
        return
    for argument in get_args(annotation):
        yield from _inner(argument)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the one of ``words`` most like ``word``, or None where none is."""
    scored = [(SequenceMatcher(None, word, other).ratio(), other) for other in words]
    best = max(scored, default=(0.0, ""))
    return best[1] if best[0] >= MIN_LIKENESS else None


def hint(word: str, words: Iterable[str]) -> str:
    """Return what to say of a word that is none of ``words``: the nearest, or all there are."""
    near = nearest(word, words)
    return f"did you mean {near}?" if near else f"there are {', '.join(sorted(words)) or 'none'}"


def nearest_key(key: str, keys: Iterable[str]) -> str | None:
    """Return the dotted key most like ``key``, wherever its section is, or None.

    Of equally like ones, that in the same section comes first, then one below it, then the least
    deep.
    """
    section, _, last = key.rpartition(".")
    known = set(keys)
    habit = HABITS.get(last, "")
    if habit in known or habit.rpartition(".")[0] in known:
        return habit

    def likeness(other: str) -> tuple[float, bool, bool, int]:
        home, _, name = other.rpartition(".")
        alike = SequenceMatcher(None, last, name).ratio()
        below = home.partition(".")[0] == section.partition(".")[0]
        return alike, home == section, below, -other.count(".")

    best = max(sorted(known), key=likeness, default=None)
    if best is not None and likeness(best)[0] >= MIN_LIKENESS:
        return best
    return nearest(key, known)


def expected(problem: ErrorDetails, key: str, model: type[BaseModel]) -> str:
    """Say what ``key`` should be."""
    if problem["type"] == "string_pattern_mismatch":
        return "expected letters, digits, dot, dash and underscore, a letter or digit first"
    inner = [other for other in valid_keys(model) if other.startswith(f"{key}.")]
    if problem["type"] == "model_type" and inner:
        named = f"{key}.name"
        return f"expected keys below it, such as {named if named in inner else inner[0]}"
    return problem["msg"].replace("Input should be", "expected")
