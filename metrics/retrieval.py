"""How well studies and reports find each other: whole gallery, both ways, beside chance."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from cinelex.metrics.bootstrap import (
    Groups,
    interval,
    interval_of_unanimous,
    median,
    per_group,
    percentiles,
    resampled_sums,
)
from cinelex.metrics.ranking import Ranking, cosines_of, is_certain, rank_each_other
from cinelex.metrics.retrieval_nulls import RandomRanking, median_rank_chance
from cinelex.metrics.unit_rows import UnitRows

Value = dict[str, float | None]
"""``value``, ``chance`` and the 95 % interval ``low`` ... ``high``; what is undefined is None."""

CUTOFFS = (1, 5, 10, 50)


def rank_both_ways(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "report dim"],
    report_of_study: Int[Tensor, " study"],
) -> dict[str, Ranking]:
    """Rank the unique reports for every study, and all studies for every unique report.

    Scores are cosines. ``study_to_report`` has one positive a query, so its ``rank`` holds the
    rank of the truth study by study; ``report_to_study`` has as many as studies share the report.

    Args:
        study: one embedding per study, of any length above 0.
        report: one embedding per *unique* report.
        report_of_study: the row in ``report`` of each study's own report.

    Raises:
        ValueError: if a row is not finite or zero, a study's report is not a row of ``report``, or
            a report has no study.
    """
    if len(study) == 0:
        raise ValueError("no studies to search with")
    if int(report_of_study.min()) < 0 or int(report_of_study.max()) >= len(report):
        raise ValueError(f"report_of_study points outside the {len(report)} unique reports")
    studies, reports = UnitRows(study, what="study"), UnitRows(report, what="report")
    rankings = rank_each_other(
        studies,
        reports,
        query_group=report_of_study,
        item_group=torch.arange(len(report), device=report_of_study.device),
    )
    return dict(zip(("study_to_report", "report_to_study"), rankings, strict=True))


def scores_per_query(ranking: Ranking) -> dict[str, Float[np.ndarray, " query"]]:
    """Return recall at each cutoff, MRR, rank, NDCG and average precision of every query.

    Recall at k is 1 if any positive is among the first k (the field's R@K), else 0. ``mrr`` and
    ``rank`` go by the first positive. NDCG has relevance 0 or 1 and runs over the whole ranking.
    """
    best = ranking.best.astype(np.float64)
    scores = {f"recall_at_{k}": (best <= k).astype(np.float64) for k in CUTOFFS}
    discount = 1 / np.log2(1.0 + np.arange(1, ranking.gallery + 1))
    ideal = np.cumsum(discount)[ranking.positives - 1]
    gain = ranking.mean_per_query(discount[ranking.rank - 1]) * ranking.positives
    return scores | {
        "mrr": 1 / best,
        "mean_rank": best,
        "ndcg": gain / ideal,
        "map": ranking.mean_per_query(ranking.order / ranking.rank),
    }


def chance_of(ranking: Ranking) -> dict[str, float]:
    """Return what a random order of the gallery is expected to score, metric by metric."""
    kinds, queries = np.unique(ranking.positives, return_counts=True)
    share = queries / queries.sum()
    nulls = [RandomRanking(ranking.gallery, kind) for kind in kinds.tolist()]
    chance = {f"recall_at_{k}": _mix(share, [n.recall_at(k) for n in nulls]) for k in CUTOFFS}
    return chance | {
        "mrr": _mix(share, [null.reciprocal_rank() for null in nulls]),
        "mean_rank": _mix(share, [null.rank() for null in nulls]),
        "ndcg": _mix(share, [null.ndcg() for null in nulls]),
        "map": _mix(share, [null.average_precision() for null in nulls]),
        "median_rank": median_rank_chance(ranking.gallery, ranking.positives),
    }


def direction_report(
    ranking: Ranking,
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Value]:
    """Return every metric of one direction with chance and a bootstrap interval over its queries.

    A metric that every order of the gallery would score alike says nothing, and its value is None
    while its chance stays: recall at k from k = gallery on, everything for a gallery of one. All
    means share the resampled queries; a recall of 0 or 1 has its exact binomial interval, since
    resamples of equal values would claim certainty. Queries count as independent but for those of
    one of the ``groups``, such as the studies of one patient, which are drawn together.
    """
    scores, chance = scores_per_query(ranking), chance_of(ranking)
    table = np.stack(list(scores.values()), axis=1)
    counted = np.concatenate([table, np.ones((len(table), 1))], axis=1)
    sums = resampled_sums(counted, groups=groups, resamples=resamples, seed=seed)
    drawn, independent = sums[:, :-1] / sums[:, -1:], len(per_group(counted, groups))
    result: dict[str, Value] = {}
    for column, (name, values) in enumerate(scores.items()):
        value = float(values.mean())
        if name.startswith("recall_at_") and value in (0.0, 1.0):
            ends = interval_of_unanimous(value, independent)
        else:
            ends = percentiles(drawn[:, column]) if independent > 1 else (None, None)
        result[name] = value_of(value, chance[name], ends)
    ranks = scores["mean_rank"]
    middle = interval(ranks, statistic=median, groups=groups, resamples=resamples, seed=seed)
    result["median_rank"] = value_of(float(np.median(ranks)), chance["median_rank"], middle)
    certain = is_certain(ranking)
    for name, entry in result.items():
        if certain or (name.startswith("recall_at_") and chance[name] >= 1.0):
            result[name] = value_of(None, entry["chance"], (None, None))
    return result


def cosine_report(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "report dim"],
    report_of_study: Int[Tensor, " study"],
    *,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Value]:
    """Return the mean cosine of studies with their own report, with all others, and the gap.

    ``chance`` is 0 in all three: for the two levels it is what independent random directions
    score, and says little (a collapsed model has both near 1); for the gap it is what shuffled
    pairs score, whatever the embeddings. The intervals are over studies. With one unique report
    the negative and the gap are None.

    Raises:
        ValueError: if a row is not finite or zero.
    """
    studies, reports = UnitRows(study, what="study"), UnitRows(report, what="report")
    own = torch.arange(len(study), device=studies.device), report_of_study.to(studies.device)
    positive = cosines_of(studies, reports, *own).cpu().numpy()
    columns = {"positive_cosine": positive}
    if len(reports) > 1:
        total = torch.stack([part.sum(0) for part in reports.parts()]).sum(0)
        all_reports = torch.cat([part @ total for part in studies.parts()]).cpu().numpy()
        negative = (all_reports - positive) / (len(reports) - 1)
        columns |= {"negative_cosine": negative, "cosine_gap": positive - negative}
    result: dict[str, Value] = {
        name: value_of(None, 0.0, (None, None)) for name in ("negative_cosine", "cosine_gap")
    }
    for name, values in columns.items():
        ends = interval(values, groups=groups, resamples=resamples, seed=seed)
        result[name] = value_of(float(values.mean()), 0.0, ends)
    return result


def retrieval_report(
    study: Float[Tensor, "study dim"],
    report: Float[Tensor, "report dim"],
    report_of_study: Int[Tensor, " study"],
    *,
    rankings: Mapping[str, Ranking] | None = None,
    groups: Groups | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Mapping[str, object]]:
    """Return the ``retrieval`` part of results.json.

    ``{study_to_report, report_to_study}.{metric}.{value, chance, low, high}``, the same four of
    ``positive_cosine``, ``negative_cosine`` and ``cosine_gap``, and ``gallery`` and ``queries``
    per direction. Arguments and errors are those of ``rank_both_ways``, whose result is not made
    again where it is given as ``rankings``. Intervals draw the ``groups`` of the studies, such as
    patients; a report is of the group of the first study that has it.
    """
    rankings = rankings or rank_both_ways(study, report, report_of_study)
    both = groups_both_ways(groups, report_of_study.cpu().numpy())
    result: dict[str, Mapping[str, object]] = {
        name: direction_report(ranking, groups=both[name], resamples=resamples, seed=seed)
        for name, ranking in rankings.items()
    }
    result |= cosine_report(
        study, report, report_of_study, groups=groups, resamples=resamples, seed=seed
    )
    result["gallery"] = {name: ranking.gallery for name, ranking in rankings.items()}
    result["queries"] = {name: ranking.queries for name, ranking in rankings.items()}
    return result


def groups_both_ways(
    groups: Groups | None, report_of_study: Int[np.ndarray, " study"]
) -> dict[str, Groups | None]:
    """Return the groups of the queries of each direction: studies, and their unique reports."""
    if groups is None:
        return {"study_to_report": None, "report_to_study": None}
    _, first = np.unique(report_of_study, return_index=True)
    return {"study_to_report": groups, "report_to_study": groups[first]}


def value_of(
    value: float | None, chance: float | None, ends: tuple[float | None, float | None]
) -> Value:
    """Return a number beside its chance and the ends of its interval."""
    return {"value": value, "chance": chance, "low": ends[0], "high": ends[1]}


def _mix(share: Float[np.ndarray, " kind"], values: list[float]) -> float:
    return float(np.dot(share, values))
