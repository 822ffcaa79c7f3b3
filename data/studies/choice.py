"""Which videos of a study a training step sees: in turn over its views, some left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from cinelex.core.randomness import keyed_seed


@dataclass(frozen=True, kw_only=True)
class ViewChoice:
    """How the videos of a study are chosen in training."""

    balanced: bool = False
    """Take one of each view before a second of any."""
    dropout: float = 0.0
    """Share of the videos that is left out; one always stays."""

    def take(
        self, turns: Sequence[int], views: Sequence[str], most: int, *, key: Sequence[int | str]
    ) -> list[int]:
        """Return the places of up to ``most`` videos, in order.

        Args:
            turns: A draw for each video; the lowest are taken first.
            views: The view of each, "" where unknown; empty where nobody names any.
            most: Videos at most.
            key: Decides what is left out.
        """
        order = sorted(range(len(turns)), key=lambda n: turns[n])
        if len(order) > most and self.balanced and views:
            seen: dict[str, int] = {}
            rounds: list[tuple[int, int, int]] = []
            for place in order:
                seen[views[place]] = seen.get(views[place], 0) + 1
                rounds.append((seen[views[place]], len(rounds), place))
            order = [place for _, _, place in sorted(rounds)]
        chosen = sorted(order[:most])
        if not self.dropout:
            return chosen
        draws = {n: (keyed_seed(*key, n, "view dropout") >> 10) / 2**53 for n in chosen}
        return [n for n in chosen if draws[n] >= self.dropout] or [
            max(draws, key=draws.__getitem__)
        ]
