"""The values in docs/why/numerics.md are those that the code computes."""

from pathlib import Path

import pytest

from cinelex.metrics.nulls import (
    captioning_chance,
    infonce_chance,
    infonce_floor,
    sigmoid_floor,
    sigmoid_start,
    supcon_collapsed,
)
from cinelex.metrics.retrieval_nulls import RandomRanking

NUMERICS = Path(__file__).parents[2] / "docs" / "why" / "numerics.md"


def table_rows(header: str) -> list[list[str]]:
    """Return the cells of the table whose first row is ``header``."""
    lines = iter(NUMERICS.read_text().splitlines())
    while next(lines) != header:
        pass
    next(lines)
    rows = []
    while (line := next(lines, "")).startswith("|"):
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_documented_contrastive_values_are_the_computed_ones() -> None:
    header = "| N | t | InfoNCE chance | InfoNCE floor | headroom | SigLIP start | SigLIP floor |"
    rows = table_rows(header)
    assert len(rows) >= 5
    for row in rows:
        studies, temperature = int(row[0]), float(row[1])
        floor = infonce_floor(studies, temperature)
        assert row[2:] == [
            f"{infonce_chance(studies):.3f}",
            f"{floor:.3f}",
            f"{100 * (1 - floor / infonce_chance(studies)):.1f} %",
            f"{sigmoid_start(studies):.3f}",
            f"{sigmoid_floor(studies, temperature):.3f}",
        ]


def test_the_documented_captioning_values_are_the_computed_ones() -> None:
    for vocabulary, chance in table_rows("| V | chance |"):
        assert chance == f"{captioning_chance(int(vocabulary)):.3f}"


def test_the_documented_supervised_contrastive_values_are_the_computed_ones() -> None:
    header = "| B | collapsed | self-pair kept, all have a positive |"
    for samples, collapsed, kept in table_rows(header):
        assert collapsed == f"{supcon_collapsed(int(samples)):.3f}"
        assert kept == f"{supcon_collapsed(int(samples), itself=True):.3f}"


def test_the_documented_retrieval_values_are_the_computed_ones() -> None:
    header = (
        "| M | recall at 1 | recall at 5 | recall at 10 | recall at 50 "
        "| reciprocal rank | mean rank |"
    )
    for row in table_rows(header):
        gallery = int(row[0])
        computed = [RandomRanking(gallery).recall_at(k) for k in (1, 5, 10, 50)]
        computed += [RandomRanking(gallery).reciprocal_rank(), RandomRanking(gallery).rank()]
        assert [float(cell) for cell in row[1:]] == pytest.approx(computed, abs=5.1e-5)
