"""How far scores of subgroups differ, in one sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

PEOPLE = ("age", "sex")
CLUSTERS = ("site", "manufacturer", "model")
OF_NOBODY = ("number of videos", "year")
"""Columns that are neither persons' nor places'; those that a config names may be either."""


def heterogeneity(rows: Sequence[Mapping[str, Any]], *, without: Sequence[str] = ()) -> str:
    """Return how many subgroups there are and which is the weakest; empty where there is none.

    Args:
        rows: The table of subgroups.
        without: Columns that are not asked for.
    """
    asked = [row for row in rows if row.get("low") is not None and row["column"] not in without]
    if not asked:
        return ""
    worst = min(asked, key=lambda row: row["mean"] - row["overall"])
    alike = [row for row in rows if row["score"] == worst["score"]]
    tests, holm = sum(row.get("holm") is not None for row in alike), worst.get("holm")
    p_value = "" if holm is None else f", p {holm:.2g} after Holm over {tests}"
    return (
        f"{len({(row['column'], row['value']) for row in asked})} subgroups by "
        f"{', '.join(dict.fromkeys(row['column'] for row in asked))}; weakest where "
        f"{worst['column']} is {worst['value']}: {worst['score']} {worst['mean']:.3f} "
        f"[{worst['low']:.3f}, {worst['high']:.3f}] of {worst['items']} studies, overall "
        f"{worst['overall']:.3f}{p_value}"
    )
