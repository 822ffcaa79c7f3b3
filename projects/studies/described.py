"""What a trained run is asked to describe, and what of it could not be read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.data.studies.drops import Reject

Samples = TypeVar("Samples")


@dataclass(frozen=True, kw_only=True)
class Described(Generic[Samples]):
    """The samples that are left of those that were asked for."""

    source: str
    """Where they are from, for messages."""
    own: bool
    """Whether they are from a manifest of their own; else they are the test split."""
    asked: Mapping[str, int]
    """How many videos each sample that was asked for has, by its id, in order."""
    unread: Mapping[str, Sequence[str]]
    """The error of each video that could not be read, by the sample's id."""
    nameless: int
    """Samples that name no video at all."""
    hash: str
    """Of what is read."""
    samples: Samples | None
    """Those with a video left; None where there are none."""

    def readable(self) -> Samples:
        """Return the samples that are left, and say how many are not.

        Raises:
            UserError: None is left.
        """
        kinds = Counter(kind for errors in self.unread.values() for kind in errors)
        summary = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        total = len(self.asked) + self.nameless
        if self.samples is None:
            raise UserError(
                f"{self.source}: of {total} studies none has a video that can be read ({summary}); "
                "mend the files or the paths"
            )
        lost = [name for name, videos in self.asked.items() if self.lost(name) == videos]
        if kinds or self.nameless:
            say(
                f"{self.source}: {total - len(lost) - self.nameless} of {total} studies are "
                f"described; {len(lost)} have no video that can be read, {self.nameless} name "
                f"none; videos not read: {summary or 'none'}"
            )
        return self.samples

    def lost(self, name: str) -> int:
        """Return how many videos of a sample could not be read."""
        return len(self.unread.get(name, ()))

    def rows(self, table: Mapping[str, Sequence[Any]], *, key: str) -> dict[str, list[Any]]:
        """Return a table with a row for each sample that was asked for.

        Args:
            table: Columns of the samples that are left; the cells of the others become empty.
            key: The column of the ids.

        Returns:
            It, and ``videos``, ``videos_not_read`` and ``not_read_because`` behind it.
        """
        place = {name: row for row, name in enumerate(table[key])}
        order = [place.get(name) for name in self.asked]
        filled: dict[str, list[Any]] = {key: list(self.asked)}
        for name, column in table.items():
            if name != key:
                filled[name] = [None if row is None else column[row] for row in order]
        return filled | {
            "videos": list(self.asked.values()),
            "videos_not_read": [self.lost(name) for name in self.asked],
            "not_read_because": [" ".join(self.unread.get(name, ())) for name in self.asked],
        }


def errors_by_study(rejects: Sequence[Reject]) -> dict[str, list[str]]:
    """Return the errors of the videos that were refused, by the id of their study."""
    found: dict[str, list[str]] = {}
    for study, _, error in rejects:
        found.setdefault(study, []).append(error)
    return found
