"""The coronary tree as a textbook draws it, right and left dominant.

A place on the heart is (turn, depth): `turn` in radians around the long axis, 0 at the top of the
base and growing to the left; `depth` 0 at the base and 1 at the apex.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Places = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BranchShape:
    """One branch as a textbook draws it."""

    name: str
    parent: str | None
    leaves_at: float
    """Share of the parent's length at which the branch leaves it."""
    places: Places
    """Control points (turn, depth); a child's first is its parent's point."""
    radius: tuple[float, float]
    """Lumen radius at both ends, in millimetres."""
    segments: tuple[tuple[str, float, float], ...] = ()
    """Named parts: (segment, from, to) as shares of the length."""


def _whole(segment: str) -> tuple[tuple[str, float, float], ...]:
    """Return the parts of a branch that is one segment."""
    return ((segment, 0.0, 1.0),)


LAD = BranchShape(
    "lad", None, 0.0,
    ((0.0, -0.16), (0.22, 0.0), (0.02, 0.18), (-0.06, 0.42), (0.0, 0.7), (0.12, 0.98)),
    (2.2, 0.9),
    (("left_main", 0.0, 0.17), ("proximal_lad", 0.17, 0.43), ("mid_lad", 0.43, 0.7),
     ("distal_lad", 0.7, 1.0)),
)  # fmt: skip
DIAGONALS = (
    BranchShape("d1", "lad", 0.4, ((0.35, 0.42), (0.62, 0.66)), (1.35, 0.9), _whole("d1")),
    BranchShape("d2", "lad", 0.62, ((0.34, 0.66), (0.5, 0.86)), (1.3, 0.9), _whole("d2")),
)
MARGINALS = (
    BranchShape("om1", "lcx", 0.4, ((1.05, 0.3), (1.1, 0.62)), (1.4, 0.9), _whole("om1")),
    BranchShape("om2", "lcx", 0.78, ((1.72, 0.3), (1.72, 0.58)), (1.35, 0.9), _whole("om2")),
)
LCX_PARTS = (("proximal_lcx", 0.04, 0.48), ("distal_lcx", 0.48, 1.0))
RCA_PARTS = (("proximal_rca", 0.0, 0.34), ("mid_rca", 0.34, 0.67), ("distal_rca", 0.67, 1.0))
SEPTAL = BranchShape("septal", "lad", 0.5, ((-0.25, 0.5), (-0.35, 0.66)), (0.7, 0.4))
MARGINAL = BranchShape("acute_marginal", "rca", 0.5, ((-1.35, 0.3), (-1.2, 0.6)), (0.85, 0.5))

RIGHT_DOMINANT: Mapping[str, tuple[BranchShape, ...]] = {
    "left": (
        LAD,
        BranchShape("lcx", "lad", 0.17, ((0.7, 0.05), (1.35, 0.05), (2.0, 0.07)), (1.75, 1.0),
                    LCX_PARTS),
        *DIAGONALS, *MARGINALS, SEPTAL,
    ),
    "right": (
        BranchShape("rca", None, 0.0,
                    ((-0.35, -0.16), (-0.8, 0.02), (-1.6, 0.05), (-2.3, 0.05), (-2.95, 0.07)),
                    (1.95, 1.35), RCA_PARTS),
        BranchShape("pda", "rca", 0.97, ((-3.1, 0.38), (-3.0, 0.8)), (1.35, 0.9), _whole("pda")),
        BranchShape("plv", "rca", 1.0, ((-3.5, 0.1), (-3.8, 0.3), (-3.85, 0.55)), (1.35, 0.9),
                    _whole("plv")),
        MARGINAL,
    ),
}  # fmt: skip

LEFT_DOMINANT: Mapping[str, tuple[BranchShape, ...]] = {
    "left": (
        LAD,
        BranchShape("lcx", "lad", 0.17,
                    ((0.7, 0.05), (1.35, 0.05), (2.1, 0.07), (2.95, 0.08)), (1.9, 1.25), LCX_PARTS),
        *DIAGONALS,
        BranchShape("om1", "lcx", 0.3, ((1.05, 0.3), (1.1, 0.62)), (1.4, 0.9), _whole("om1")),
        BranchShape("om2", "lcx", 0.54, ((1.75, 0.3), (1.75, 0.58)), (1.35, 0.9), _whole("om2")),
        BranchShape("pda", "lcx", 0.99, ((3.1, 0.38), (3.05, 0.8)), (1.35, 0.9), _whole("pda")),
        BranchShape("plv", "lcx", 0.8, ((2.5, 0.3), (2.45, 0.6)), (1.35, 0.9), _whole("plv")),
        SEPTAL,
    ),
    "right": (
        BranchShape("rca", None, 0.0, ((-0.35, -0.16), (-0.8, 0.02), (-1.5, 0.05), (-2.1, 0.07)),
                    (1.5, 0.9), RCA_PARTS),
        MARGINAL,
    ),
}  # fmt: skip
