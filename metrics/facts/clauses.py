"""How the items of a sentence belong together: which value, place and denial make one clause."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cinelex.metrics.facts.scan import Item

_PREDICATES: Final = frozenset(("value", "severity", "finding", "normal"))
_PLACES: Final = frozenset(("place", "location", "rest", "all"))
_LINKS: Final = frozenset(("or", "nor"))
_LISTS: Final = frozenset((",", "and", "&", "+", "plus", "or", "nor"))
_FULL: Final = (1.0, 100.0)


@dataclass(frozen=True)
class Clause:
    """Items that speak about the same thing, in their order, separators left out."""

    items: tuple[Item, ...]
    separator: str = ""
    """The word or comma before the first item."""

    def has(self, kinds: Collection[str]) -> bool:
        """Tell whether an item of one of these kinds is there."""
        return any(item.kind in kinds for item in self.items)

    def first(self, kinds: Collection[str]) -> int:
        """Return the position of the first item of these kinds, or the number of items."""
        places = (place for place, item in enumerate(self.items) if item.kind in kinds)
        return next(places, len(self.items))

    @property
    def predicate(self) -> bool:
        """Something is said about the extent of disease."""
        return self.has(_PREDICATES)

    @property
    def placed(self) -> bool:
        """Some place is named."""
        return self.has(_PLACES)

    @property
    def negated(self) -> bool:
        """A word of negation is there."""
        return self.has(("negation",))

    @property
    def uncertain(self) -> bool:
        """A hedge is there."""
        return self.has(("uncertain",))

    @property
    def denies(self) -> bool:
        """The clause says that disease is absent, at all or above some extent.

        "40% stenosis, not significant" does not deny: a number outweighs what follows it.
        """
        if self.has(("value",)):
            return self.first(("negation",)) < self.first(("value",))
        return self.negated or (self.has(("normal",)) and not self.has(("severity", "finding")))

    @property
    def left_open(self) -> float:
        """The largest stenosis in percent that a denial leaves possible.

        "No stenosis" leaves 0, "no significant stenosis" 49, "no stenosis > 50%" leaves 50.
        """
        lows = [item.low for item in self.items if item.kind in ("value", "severity")]
        if lows:
            return max(min(lows) - 1, 0.0)
        return max((item.high for item in self.items if item.kind == "normal"), default=0.0)

    @property
    def values(self) -> list[tuple[int, float, float]]:
        """Position and interval of each stenosis: numbers, else words, else anything above 0."""
        for kind in ("value", "severity"):
            found = [
                (place, item.low, item.high)
                for place, item in enumerate(self.items)
                if item.kind == kind
            ]
            if found:
                return found
        return [(self.first(("finding",)), *_FULL)]


def clauses_of(
    items: Sequence[Item], attributes: Collection[str]
) -> tuple[list[Clause], list[Clause]]:
    """Split a sentence into clauses about other attributes and clauses about stenoses."""
    pieces = _inherit(_split(items), attributes)
    others = []
    lesions = []
    places: tuple[Item, ...] = ()
    for piece in pieces:
        own = tuple(item for item in piece.items if item.kind == "place")
        places = own or places
        if not piece.has(attributes):
            lesions.append(piece)
            continue
        others.append(Clause(piece.items if own else (*places, *piece.items)))
        rest = tuple(item for item in piece.items if item.kind not in attributes)
        if not Clause(rest).predicate:
            rest = tuple(item for item in rest if item.kind != "negation")
        lesions.append(Clause(rest, piece.separator))
    usable = [piece for piece in lesions if piece.items and not piece.has(("graft",))]
    return others, _group(usable)


def _split(items: Sequence[Item]) -> list[Clause]:
    """Cut at every separator."""
    pieces = []
    separator = ""
    held: list[Item] = []
    for item in items:
        if item.kind == "separator":
            pieces.append(Clause(tuple(held), separator))
            held, separator = [], item.names[0]
        else:
            held.append(item)
    pieces.append(Clause(tuple(held), separator))
    return [piece for piece in pieces if piece.items]


def _inherit(pieces: Sequence[Clause], attributes: Collection[str]) -> list[Clause]:
    """Pass a denial on through a list: "no tortuosity, calcification or stenosis"."""
    passed: list[Clause] = []
    for piece in pieces:
        before = passed[-1] if passed else Clause(())
        plain = not piece.has(("value", "severity", "normal", "verb", "negation"))
        listed = piece.separator in _LINKS or (
            piece.separator in _LISTS and plain and not piece.has(_PLACES)
        )
        says = piece.predicate or piece.has(attributes)
        if listed and says and before.negated and not piece.negated:
            piece = Clause((Item("negation"), *piece.items), piece.separator)
        passed.append(piece)
    return passed


def _group(pieces: Sequence[Clause]) -> list[Clause]:
    """Join neighbouring pieces into clauses that have both places and something said of them."""
    groups: list[Clause] = []
    for number, piece in enumerate(pieces):
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        if groups and _joins(groups[-1], piece, after):
            groups[-1] = Clause(groups[-1].items + piece.items, groups[-1].separator)
        elif not (groups and _only_comments(groups[-1], piece)):
            groups.append(piece)
    return groups


def _only_comments(group: Clause, piece: Clause) -> bool:
    """Tell whether a placeless denial follows a lesion: "40% of the RCA, not significant"."""
    return group.predicate and not group.denies and piece.negated and not piece.placed


def _joins(group: Clause, piece: Clause, after: Clause | None) -> bool:
    """Tell whether a piece continues the clause before it."""
    if not group.predicate:
        told = group.has(("verb",)) and group.placed
        return not (told and piece.placed)
    if not group.placed:
        return True
    if piece.placed and piece.predicate:
        return False
    if piece.placed:
        starts_next = after is not None and after.predicate and not after.placed
        predicate_first = group.first(_PREDICATES) < group.first(_PLACES)
        return piece.separator in _LISTS and predicate_first and not starts_next
    return group.denies or not piece.negated
