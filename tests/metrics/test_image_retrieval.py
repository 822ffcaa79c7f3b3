"""Retrieval of images and captions against loops, CLIP_benchmark's own lines, and random orders."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.metrics.image_retrieval import (
    CUTOFFS,
    Outcomes,
    average_precision_chance,
    chance_of,
    image_retrieval_report,
    rank_images_and_captions,
    scores_of,
)
from cinelex.metrics.ranking import Ranking
from cinelex.metrics.retrieval_nulls import RandomRanking

OWNER = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 4, 4, 4])


def rows(count: int, seed: int, dim: int = 5) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(count, dim, generator=random), dim=1)


def outcomes(seed: int = 0) -> Outcomes:
    caption = rows(len(OWNER), seed)
    image = F.normalize(rows(5, seed + 100) + 0.4 * caption[[0, 5, 11, 16, 17]], dim=1)
    return rank_images_and_captions(image, caption, OWNER)


def clip_benchmark_recall(scores: Tensor, positive: Tensor, k: int) -> Tensor:
    """Return recall@k as clip_benchmark.metrics.zeroshot_retrieval computes it."""
    top = torch.topk(scores, k, dim=1)[1]
    nb_positive = positive.sum(dim=1)
    onehot = F.one_hot(top, num_classes=scores.shape[1])
    true_positive = (onehot * positive.view(*positive.shape[:1], 1, -1)).sum(dim=(1, 2))
    return (true_positive / nb_positive > 0).float().mean()


@pytest.mark.parametrize("seed", range(4))
def test_recalls_equal_those_of_clip_benchmark(seed: int) -> None:
    caption = rows(len(OWNER), seed)
    image = F.normalize(rows(5, seed + 100) + 0.4 * caption[[0, 5, 11, 16, 17]], dim=1)
    found = rank_images_and_captions(image, caption, OWNER)
    positive = OWNER[None, :] == torch.arange(5)[:, None]
    scores = image @ caption.T
    report = image_retrieval_report(found, resamples=1)
    for k in CUTOFFS[:2]:
        there = clip_benchmark_recall(scores, positive.float(), k)
        back = clip_benchmark_recall(scores.T, positive.T.float(), k)
        assert report["image_to_text"][f"recall_at_{k}"]["value"] == pytest.approx(float(there))
        assert report["text_to_image"][f"recall_at_{k}"]["value"] == pytest.approx(float(back))


@pytest.mark.parametrize("seed", range(4))
def test_ranks_and_precision_equal_loops(seed: int) -> None:
    caption = rows(len(OWNER), seed)
    image = F.normalize(rows(5, seed + 100) + 0.4 * caption[[0, 5, 11, 16, 17]], dim=1)
    found = rank_images_and_captions(image, caption, OWNER)
    scores = scores_of(found.rankings["image_to_text"])
    table = (image.double() @ caption.double().T).tolist()
    for i in range(5):
        order = sorted(range(len(OWNER)), key=lambda j: -table[i][j])
        own = [place + 1 for place, j in enumerate(order) if int(OWNER[j]) == i]
        assert scores["mean_rank"][i] == own[0]
        gain = sum((n + 1) / place for n, place in enumerate(own) if place <= 10)
        assert scores["ap_at_10"][i] == pytest.approx(gain / min(len(own), 10))


def test_more_positives_than_places_can_still_be_ranked_perfectly() -> None:
    angle = torch.linspace(0, 0.5, 12)
    captions = torch.stack([angle.cos(), angle.sin()], dim=1)
    captions = torch.cat([captions, torch.tensor([[0.0, 1.0]])])
    found = rank_images_and_captions(torch.eye(2), captions, torch.tensor([0] * 12 + [1]))
    assert scores_of(found.rankings["image_to_text"])["ap_at_10"].tolist() == pytest.approx([1, 1])


def test_a_perfect_model_has_a_sum_of_six_hundred_without_doubt() -> None:
    own = torch.arange(20).repeat_interleave(5)
    found = rank_images_and_captions(torch.eye(20), torch.eye(20)[own], own)
    rsum = image_retrieval_report(found, resamples=10)["both"]["rsum"]
    assert (rsum["value"], rsum["low"], rsum["high"]) == (600, 600, 600)


def test_ties_count_against_the_query() -> None:
    same = torch.ones(4, 3)
    found = rank_images_and_captions(same, torch.ones(20, 3), torch.arange(4).repeat_interleave(5))
    report = image_retrieval_report(found, resamples=10)
    assert report["image_to_text"]["recall_at_10"]["value"] == 0.0
    assert report["image_to_text"]["median_rank"]["value"] == 16
    assert report["text_to_image"]["median_rank"]["value"] == 4
    assert report["both"]["rsum"]["value"] == pytest.approx(300 - 100)  # R@5 and R@10 of 4 images


def test_rsum_and_median_are_those_of_the_queries() -> None:
    found = outcomes()
    report = image_retrieval_report(found, resamples=50)
    expected = chance = 0.0
    for direction in ("image_to_text", "text_to_image"):
        best = found.rankings[direction].best
        expected += sum(100 * (best <= k).mean() for k in CUTOFFS)
        assert report[direction]["median_rank"]["value"] == np.median(best)
        mean_rank = report[direction]["mean_rank"]
        assert mean_rank["value"] == pytest.approx(best.mean())
        assert mean_rank["low"] <= mean_rank["value"] <= mean_rank["high"]  # type: ignore[operator]
        for k in CUTOFFS:
            each = report[direction][f"recall_at_{k}"]["chance"]
            assert each is not None
            chance += 100 * each
    assert report["both"]["rsum"]["value"] == pytest.approx(expected)
    assert report["both"]["rsum"]["chance"] == pytest.approx(chance)


def test_chance_is_what_random_orders_score() -> None:
    random = np.random.default_rng(0)
    truth = chance_of(outcomes().rankings["image_to_text"])
    owner = OWNER.numpy()
    sums = dict.fromkeys(truth, 0.0)
    medians, repeats = [], 3000
    for _ in range(repeats):
        query, rank = [], []
        for image in range(5):
            places = random.permutation(len(owner))[owner == image] + 1
            query += [image] * len(places)
            rank += sorted(places.tolist())
        ranking = Ranking(len(owner), np.array(query), np.array(rank))
        for name, values in scores_of(ranking).items():
            sums[name] += values.mean() / repeats
        medians += ranking.best.tolist()
    for name, value in sums.items():
        if name != "median_rank":
            assert truth[name] == pytest.approx(value, rel=0.05), name
    assert truth["median_rank"] == pytest.approx(np.median(medians), abs=0.5)


def test_expected_precision_of_one_positive_is_the_mean_of_reciprocal_places() -> None:
    null = RandomRanking(50, 1)
    expected = sum(1 / place for place in range(1, 11)) / 50
    assert average_precision_chance(null) == pytest.approx(expected)
    everything = RandomRanking(7, 7)
    assert average_precision_chance(everything) == pytest.approx(1.0)


def test_intervals_resample_images_so_captions_of_one_image_count_once() -> None:
    image = F.normalize(torch.eye(40) + 0.0, dim=1)
    wrong = torch.arange(40) % 2 == 1
    caption = torch.where(wrong[:, None], image.roll(1, 0), image).repeat_interleave(5, 0)
    found = rank_images_and_captions(image, caption, torch.arange(40).repeat_interleave(5))
    entry = image_retrieval_report(found, resamples=4000)["text_to_image"]["recall_at_1"]
    assert entry["value"] == 0.5
    assert entry["low"] is not None
    assert entry["high"] is not None
    # 40 images, not 200 captions: a standard error of 0.079
    assert entry["high"] - entry["low"] == pytest.approx(2 * 1.96 * 0.079, rel=0.12)


def test_images_of_one_patient_are_drawn_together() -> None:
    image, own = torch.eye(80), torch.arange(80)
    # all four images of a patient have another one's caption, or none has
    caption = image[torch.where(own // 4 % 2 == 1, own // 4 * 4 + (own + 1) % 4, own)]
    found = rank_images_and_captions(image, caption, own)
    report = image_retrieval_report(found, groups=np.arange(80) // 4, resamples=4000)
    for entry in (report[direction]["recall_at_1"] for direction in report if direction != "both"):
        assert entry["low"] is not None
        assert entry["high"] is not None
        # 20 patients, not 80 images: a standard error of 0.11
        assert entry["high"] - entry["low"] == pytest.approx(2 * 1.96 * 0.112, rel=0.12)
    alone = image_retrieval_report(found, groups=np.arange(80), resamples=50)
    assert alone == image_retrieval_report(found, resamples=50)
