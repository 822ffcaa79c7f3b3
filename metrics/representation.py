"""What the geometry of embeddings says about collapse; functions of plain tensors.

Level, norm and extremes of a latent cannot see collapse; these can. All are computed in float64.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def feature_std(rows: Float[Tensor, "row dim"]) -> float:
    """Return the mean over dimensions of the standard deviation over unit-length rows.

    Null: 0 when all rows coincide; 1/sqrt(dim) for random directions.

    Raises:
        ValueError: if there are fewer than two rows, or one is not finite or zero.
    """
    return float(_unit(rows).std(dim=0, correction=0).mean())


def rankme(rows: Float[Tensor, "row dim"]) -> float:
    """Return the effective rank: exp of the entropy of the normalised singular values.

    Null: 1 when all rows are parallel; at most min(rows, dim).

    Raises:
        ValueError: if there are fewer than two rows, one is not finite, or all are 0.

    Source: Garrido et al. 2023, arXiv:2210.02885, Equation 1.
    """
    values = torch.linalg.svdvals(_finite(rows))
    if float(values[0]) == 0:
        raise ValueError("all rows are zero; an effective rank is undefined")
    share = values / values.sum()
    return math.exp(float(-torch.special.xlogy(share, share).sum()))


def mean_off_diagonal_cosine(rows: Float[Tensor, "row dim"]) -> float:
    """Return the mean cosine between two different rows, in [-1/(rows-1), 1].

    Null: 1 when all rows point one way; 0 for random directions.

    Raises:
        ValueError: if there are fewer than two rows, or one is not finite or zero.
    """
    unit = _unit(rows)
    count = len(unit)
    together = float(unit.sum(dim=0).square().sum())
    return (together - count) / (count * (count - 1))


def uniformity(rows: Float[Tensor, "row dim"], *, chunk: int = 1024) -> float:
    """Return ln of the mean of exp(-2 |x - y|^2) over pairs of different unit-length rows.

    Null: 0 when all rows coincide; about -4 for random directions in many dimensions
    (``cinelex.metrics.nulls.uniformity_of_random_directions``).

    Raises:
        ValueError: if there are fewer than two rows, or one is not finite or zero.

    Source: Wang and Isola 2020, arXiv:2005.10242, Equation 2, with t = 2.
    """
    unit = _unit(rows)
    count = len(unit)
    total = sum(
        float((4 * (unit[start : start + chunk] @ unit.T) - 4).exp().sum())
        for start in range(0, count, chunk)
    )
    return math.log((total - count) / (count * (count - 1)))


def modality_gap(first: Float[Tensor, "row dim"], second: Float[Tensor, "other dim"]) -> float:
    """Return the distance between the centres of two towers' unit-length rows, in [0, 2].

    Null: 0 when both towers share a centre; for n and m random directions about
    sqrt(1/n + 1/m).

    Raises:
        ValueError: if a tower has fewer than two rows, or one is not finite or zero.

    Source: Liang et al. 2022, arXiv:2203.02053, Section 2.
    """
    return float((_unit(first).mean(dim=0) - _unit(second).mean(dim=0)).norm())


def hardest_negative_margin(
    first: Float[Tensor, "row dim"], second: Float[Tensor, "row dim"]
) -> float:
    """Return the mean of own cosine minus the greatest other cosine, both ways, in [-2, 2].

    Row i of both towers belongs together. Null: below 0 for unrelated rows, by the expected
    greatest of the others; 0 when all rows coincide.

    Raises:
        ValueError: if a tower has fewer than two rows, or one is not finite or zero.
    """
    cosines = _unit(first) @ _unit(second).T
    own = cosines.diagonal()
    others = cosines.clone().fill_diagonal_(-2.0)
    return float((2 * own - others.amax(dim=1) - others.amax(dim=0)).mean() / 2)


def recall_at_1_of_rows(first: Float[Tensor, "row dim"], second: Float[Tensor, "row dim"]) -> float:
    """Return the share of rows of ``first`` whose own row of ``second`` is nearest, in [0, 1].

    A tie counts against the row. Null: 1/rows for unrelated towers; 0 when all rows coincide.

    Raises:
        ValueError: if a tower has fewer than two rows, or one is not finite or zero.
    """
    cosines = _unit(first) @ _unit(second).T
    others = cosines.clone().fill_diagonal_(-2.0)
    # rounding must not tell rows apart that coincide
    return float((cosines.diagonal() > others.amax(dim=1) + 1e-9).double().mean())


def mean_rank_share(first: Float[Tensor, "row dim"], second: Float[Tensor, "row dim"]) -> float:
    """Return the mean share of other rows of ``second`` that are as near as a row's own, in [0, 1].

    Null: 0.5 for unrelated towers, give or take about 1/sqrt(12 rows); 1 when all rows coincide,
    since a tie counts against the row. It sees a beginning long before recall at 1 does.

    Raises:
        ValueError: if a tower has fewer than two rows, or one is not finite or zero.
    """
    cosines = _unit(first) @ _unit(second).T
    nearer = cosines + 1e-9 >= cosines.diagonal()[:, None]
    return float((nearer.sum(dim=1) - 1).double().mean()) / (len(cosines) - 1)


def _finite(rows: Tensor) -> Tensor:
    if len(rows) < 2:
        raise ValueError(f"the spread of {len(rows)} row is undefined; give at least two")
    exact = rows.detach().double()
    wrong = int((~torch.isfinite(exact).all(dim=1)).sum())
    if wrong:
        raise ValueError(f"{wrong} of {len(rows)} rows are not finite")
    return exact


def _unit(rows: Tensor) -> Tensor:
    exact = _finite(rows)
    wrong = int((exact == 0).all(dim=1).sum())
    if wrong:
        raise ValueError(f"{wrong} of {len(rows)} rows are zero and have no direction")
    return F.normalize(exact, dim=1)
