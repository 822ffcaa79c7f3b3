"""Verdicts on logs whose truth is known, and on those that people were misled by."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from cinelex.doctor.logs.entry import Entry
from cinelex.doctor.logs.held_out import held_out_entries
from cinelex.doctor.logs.latent import latent_entries
from cinelex.doctor.logs.ledger import ledger
from cinelex.doctor.logs.metric import Log, Metric, RunRow
from cinelex.doctor.logs.overview import chosen_names, draw_overview
from cinelex.doctor.logs.report import key_findings
from tests.metrics.series import autoregressive

POINTS = 1500


def _log(**columns: np.ndarray) -> Log:
    return Log(
        tuple(
            Metric("run", name, np.arange(1.0, len(values) + 1), values)
            for name, values in columns.items()
        )
    )


def _verdict(log: Log, metric: str, claim: str) -> Entry:
    found = [
        entry
        for entry in ledger(log)
        if metric in entry.question.metric and claim in entry.question.claim
    ]
    assert len(found) == 1, [(entry.question.metric, entry.question.claim) for entry in found]
    return found[0]


def _generalises(values: np.ndarray) -> Entry:
    return next(held_out_entries("run", _log(val_recall=values).of_run("run")))


def collapsed_to_a_bias() -> Log:
    """An encoder that gives its output bias, of 512 inputs, whatever it sees."""
    draws = np.random.default_rng(0)
    steps = np.arange(POINTS)
    std = 1 / math.sqrt(3 * 512) + 0.012 * np.exp(-steps / 8)
    std += 1e-4 * draws.standard_normal(POINTS)
    mean = 1e-4 * draws.standard_normal(POINTS)
    return _log(
        learning_rate=1e-3 * (1 + np.cos(np.pi * steps / (POINTS - 1))) / 2 + 1e-6,
        latent_mean=mean,
        latent_std=std,
        latent_norm=np.sqrt(1024 * (std**2 + mean**2)),
        latent_max=math.sqrt(3) * std,
    )


def test_the_log_that_was_called_production_ready_is_seen_through() -> None:
    log = collapsed_to_a_bias()
    assert _verdict(log, "latent", "have not collapsed").verdict == "not testable"
    signature = _verdict(log, "latent", "first bias")
    assert signature.verdict == "contradicted"
    assert "a layer of 512 inputs" in signature.reason
    same = _verdict(log, "latent", "std and norm are two pieces")
    assert same.verdict == "contradicted"
    assert same.value == pytest.approx(1024)
    assert _verdict(log, "latent_std", "spread over the run").verdict == "contradicted"
    assert _verdict(log, "latent_mean", "centred").verdict == "supported"
    assert _verdict(log, "learning_rate", "cosine").verdict == "supported"
    assert _verdict(log, "(none)", "generalises").verdict == "not testable"


@pytest.mark.parametrize("width", [256, 512, 1024, 2048])
def test_biases_of_linear_layers_are_known_at_every_width(width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        bias = (2 * torch.rand(width, generator=generator) - 1) / math.sqrt(width)
        levels = {"mean": bias.mean(), "std": bias.std(), "norm": bias.norm(), "max": bias.max()}
        columns = {f"z_{role}": np.full(60, float(level)) for role, level in levels.items()}
        entries = latent_entries("run", _log(**columns).of_run("run"))
        signature = next(entry for entry in entries if "first bias" in entry.question.claim)
        assert signature.verdict == "contradicted"


def test_a_uniform_shape_that_still_moves_is_no_untrained_bias() -> None:
    std = np.linspace(0.02, 0.06, POINTS)
    entry = _verdict(_log(z_std=std, z_max=math.sqrt(3) * std), "z", "first bias")
    assert entry.verdict == "not testable"
    assert "still move" in entry.reason


def test_healthy_statistics_are_no_signature() -> None:
    draws = np.random.default_rng(0)
    std = 0.031 + 1e-3 * draws.standard_normal(POINTS)
    log = _log(z_mean=0.02 * draws.standard_normal(POINTS), z_std=std, z_max=4.2 * std)
    assert _verdict(log, "z", "first bias").verdict == "not testable"


def test_an_effective_rank_decides_what_the_other_statistics_cannot() -> None:
    draws = np.random.default_rng(0)
    statistics = {"z_std": 0.03 + 1e-3 * draws.standard_normal(400)}
    for rank, verdict in ((1.01, "contradicted"), (35.0, "supported")):
        ranks = rank + 1e-3 * draws.standard_normal(400)
        log = _log(z_rankme=ranks, **statistics)
        assert _verdict(log, "z_rankme", "have not collapsed").verdict == verdict


def test_each_tower_is_judged_by_its_own_effective_rank() -> None:
    flat = np.full(60, 0.05) + 1e-3 * np.random.default_rng(0).standard_normal(60)
    towers = {f"embedding/{tower}/std": flat for tower in ("study", "report")}
    ranks = {"embedding/study/rankme": 17 + flat, "embedding/report/rankme": 1 + flat}
    log = _log(**towers, **ranks)
    assert _verdict(log, "study", "have not collapsed").verdict == "supported"
    assert _verdict(log, "report", "have not collapsed").verdict == "contradicted"


def test_a_null_is_no_metric_and_few_points_get_one_line() -> None:
    few = np.array([0.1, 0.3, 0.4, 0.5, 0.6])
    log = _log(**{"val/recall": few, "val/recall/chance": few / 10})
    claims = [(e.question.metric, e.question.claim) for e in ledger(log)]
    assert sorted(claims) == [
        ("val/recall", "ends better than chance"),
        ("val/recall", "rises over the run"),
        ("val/recall", "the run generalises: this improves on held-out data"),
    ]


def test_what_many_metrics_cannot_decide_is_said_once() -> None:
    few = {f"val/recall_at_{k}": np.array([0.1, 0.2, 0.3]) for k in (1, 5, 10)}
    (finding,) = key_findings(ledger(_log(**few)))
    assert finding.question.metric == "val/recall_at_1 and 2 more"
    assert finding.verdict == "not testable"


def test_values_that_differ_in_their_last_bit_alone_are_drawn(tmp_path: Path) -> None:
    draw_overview(_log(loss=np.array([1.0, 1.0000000000000002] * 30)), tmp_path / "overview.png")
    assert (tmp_path / "overview.png").stat().st_size > 0


def test_losses_with_their_chance_are_drawn_before_bookkeeping() -> None:
    rows = np.linspace(1, 2, 50)
    names = ["step_ms", "lr", "loss", "loss/a", "chance/a", "embedding/study/std", "val/recall"]
    log = _log(**dict.fromkeys(names, rows))
    assert chosen_names(log.of_run("run"))[:4] == ["loss/a", "val/recall", "loss", "lr"]
    assert "chance/a" not in chosen_names(log.of_run("run"))
    whole = _log(**dict.fromkeys(["loss", "latent_mean", "latent_std", "lr"], rows))
    assert chosen_names(whole.of_run("run")) == ["lr", "latent_mean", "latent_std", "loss"]


def test_there_is_no_verdict_on_generalisation_without_a_validation_column() -> None:
    falling = np.exp(-np.arange(200) / 50)
    for name in ("loss", "train/accuracy", "validity", "learning_rate"):
        entries = [e for e in ledger(_log(**{name: falling})) if "generalises" in e.question.claim]
        assert [entry.verdict for entry in entries] == ["not testable"], name


@pytest.mark.parametrize(
    ("course", "verdict"),
    [
        (lambda t: 3 - 2 * t, "supported"),
        (lambda t: 1 + 8 * (t - 0.3) ** 2, "contradicted"),
        (lambda t: np.sin(40 * t), "not testable"),
        (lambda t: t[:3], "not testable"),
    ],
    ids=["falls", "falls, then rises", "neither", "three validations"],
)
def test_held_out_losses_are_judged_by_where_they_go(
    course: Callable[[np.ndarray], np.ndarray], verdict: str
) -> None:
    log = _log(val_loss=course(np.linspace(0, 1, 30)))
    assert _verdict(log, "val_loss", "generalises").verdict == verdict


@pytest.mark.parametrize(
    ("height", "wrong", "most"),
    [(0.0, {"supported", "contradicted"}, 0.2), (6.0, {"contradicted"}, 0.1)],
    ids=["flat", "rises, then stays"],
)
def test_slow_noise_of_a_held_out_metric_is_no_verdict(
    height: float, wrong: set[str], most: float
) -> None:
    course = height * (1 - np.exp(-np.arange(100) / 8))
    noise = autoregressive(100, correlation=0.8, series=60)
    verdicts = [_generalises(course + row).verdict for row in noise]
    assert sum(verdict in wrong for verdict in verdicts) <= most * len(verdicts)


def test_a_handful_of_validations_is_no_verdict_whatever_they_show() -> None:
    assert _generalises(np.linspace(0.1, 0.9, 8)).verdict == "not testable"
    assert "12 are needed" in _generalises(np.linspace(0.1, 0.9, 8)).reason
    assert _generalises(np.linspace(0.1, 0.9, 20)).verdict == "supported"


def test_flat_noise_neither_falls_nor_has_it_failed_to_by_a_hair() -> None:
    noise = autoregressive(2000, correlation=0.5, series=1)[0]
    flat = _verdict(_log(loss=3.25 + 0.001 * noise), "loss", "falls over the run")
    assert flat.verdict == "contradicted"
    loud = _verdict(_log(loss=3.25 + noise), "loss", "falls over the run")
    assert loud.verdict == "not testable"
    falling = _verdict(_log(loss=3.25 + 0.1 * noise - np.linspace(0, 1, 2000)), "loss", "falls")
    assert falling.verdict == "supported"
    assert falling.interval is not None
    assert falling.interval[0] < -0.95 < falling.interval[1]


def test_rest_motion_jump_and_spike_are_told_apart() -> None:
    noise = 0.05 * np.random.default_rng(0).standard_normal(800)
    fallen = np.exp(-np.arange(800) / 60) + noise
    assert _verdict(_log(loss=4 * fallen), "loss", "settled").verdict == "supported"
    moving = _log(loss=noise - np.linspace(0, 2, 800))
    assert _verdict(moving, "loss", "settled").verdict == "contradicted"
    jump = _verdict(_log(loss=noise + (np.arange(800) >= 500)), "loss", "abrupt")
    assert jump.verdict == "contradicted"
    assert jump.interval is not None
    assert jump.interval[0] <= 500 <= jump.interval[1]
    noise[300] = 3.0
    assert "steps 301" in _verdict(_log(loss=noise), "loss", "spikes").reason


def test_a_learning_rate_that_rises_again_is_named() -> None:
    t = np.linspace(0, 2, 400)
    log = _log(lr=(1 + np.cos(np.pi * t)) / 2 + np.where(t == 0, 0.01, 0))
    assert _verdict(log, "lr", "never rises").verdict == "contradicted"
    assert _verdict(log, "lr", "cosine").verdict == "contradicted"


def test_a_metric_is_compared_with_the_chance_that_stands_beside_it() -> None:
    noise = 0.02 * np.random.default_rng(0).standard_normal(400)
    chance = np.full(400, 3.0)
    log = _log(**{"loss/contrastive": 3.0 + noise, "chance/contrastive": chance})
    assert _verdict(log, "loss/contrastive", "better than chance").verdict != "supported"
    log = _log(**{"loss/contrastive": 2.5 + noise, "chance/contrastive": chance})
    assert _verdict(log, "loss/contrastive", "better than chance").verdict == "supported"


def test_a_table_of_runs_names_no_winner_and_sees_computed_results() -> None:
    base = {"val_recall": 0.412, "val_mrr": 0.533, "val_ndcg": 0.617}
    runs = (
        RunRow("base", base),
        RunRow("better", {name: 1.0408 * value for name, value in base.items()}),
        RunRow("other", {"val_recall": 0.444, "val_mrr": 0.529, "val_ndcg": 0.655}),
    )
    log = Log(runs=runs)
    assert _verdict(log, "val_mrr", "is better").verdict == "not testable"
    computed = [e for e in ledger(log) if "were measured" in e.question.claim]
    assert [entry.question.run for entry in computed] == ["base and better"]
    assert "4.08%" in computed[0].reason
