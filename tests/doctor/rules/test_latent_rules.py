"""The doctor names both defects of the first latent captioner, in runs that have them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cinelex.core.files import read_json
from cinelex.doctor.check import diagnose_run
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.doctor.rules.caption_content import BIGRAM_CAPTIONS
from cinelex.doctor.rules.collapse import LATENTS_COLLAPSED
from cinelex.doctor.run_files import read_run
from cinelex.metrics.latent import bias_level
from cinelex.models import CAPTION_DECODERS, LATENT_HEADS
from cinelex.projects.interface.results import Results
from tests.historical_latent import DeadLatent, FirstPositionDecoder
from tests.tiny_run import LATENT, arguments, succeed

pytestmark = pytest.mark.slow

LEVEL = {"latent/std": 0.499, "latent/max": 2.05, "latent/std/bias": 0.0128}
HEALTHY = {**LEVEL, "latent/batch_std": 0.427}
"""The last batch of the shipped config."""
LOSSES = {"value": 0.295, "other_studys_video": 1.077, "unigram": 3.77, "bigram": 1.146}
"""Held-out captioning of the shipped config."""


def after(steps: int, row: dict[str, float]) -> Evidence:
    return Evidence(steps=[{"step": step, **row} for step in range(1, steps + 1)])


def captioned(**changes: float) -> Evidence:
    return Evidence(results=Results.from_json({"losses": {"captioning": {**LOSSES, **changes}}}))


def collapsed(evidence: Evidence) -> list[Finding]:
    return list(LATENTS_COLLAPSED.findings(evidence))


def bigram(evidence: Evidence) -> list[Finding]:
    return list(BIGRAM_CAPTIONS.findings(evidence))


def run(folder: Path, cache: Path, *more: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Train a tiny run and return the records of its steps, and its results."""
    quiet = ("validate_every=0", "log_every=20", "checkpoint_every=100", "evaluation.bootstrap=10")
    succeed(arguments(folder, cache, "name=sick", *quiet, *more, config=LATENT))
    lines = (folder / "sick" / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    steps = [row for row in rows if row["kind"] == "step"]
    return steps, read_json(folder / "sick" / "results.json")


def test_a_healthy_run_is_not_blamed() -> None:
    assert collapsed(after(100, HEALTHY)) == []
    assert bigram(captioned()) == []


def test_nobody_is_blamed_early_or_without_evidence() -> None:
    assert collapsed(after(5, {**HEALTHY, "latent/batch_std": 0.0})) == []
    assert collapsed(Evidence()) == []
    assert bigram(Evidence()) == []
    # untrained: no better than the frequencies of words
    assert bigram(captioned(value=4.865, other_studys_video=4.866)) == []


def test_a_collapse_to_something_else_than_a_bias_is_a_collapse() -> None:
    (found,) = collapsed(after(100, {**HEALTHY, "latent/batch_std": 0.001}))
    assert found.severity == "error"
    assert "to the bias" not in found.statement


def test_better_than_a_bigram_is_no_bigram() -> None:
    # a decoder with a memory for words that never looks: another rule's business
    assert bigram(captioned(value=0.9, other_studys_video=0.9)) == []


def test_the_collapse_to_the_bias_is_named_in_a_run_that_has_it(
    tmp_path: Path, study_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LATENT_HEADS, "dead", DeadLatent)
    size = ("latent.size=512", "latent.head={name: dead}", "steps=25")
    steps, _ = run(tmp_path, study_cache, *size)
    expected = bias_level(latent=512, fan_in=32)
    assert steps[0]["latent/std"] == pytest.approx(expected.std, rel=0.1)
    assert steps[0]["latent/norm"] == pytest.approx(expected.norm, rel=0.1)
    assert steps[-1]["latent/batch_std"] == pytest.approx(0, abs=1e-6)
    (found,) = [f for f in diagnose_run(read_run(tmp_path / "sick")) if f.rule == "D12"]
    assert (found.rule, found.severity) == ("D12", "error")
    assert "to the bias of their layer" in found.statement


def test_the_latent_at_one_position_is_named_in_a_run_that_has_it(
    tmp_path: Path, study_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CAPTION_DECODERS, "first_position", FirstPositionDecoder)
    rates = ("steps=100", "optimizer.learning_rate=5e-3", "optimizer.weight_decay=0.0")
    decoder = "model.caption_decoder.name=first_position"
    _, results = run(tmp_path, study_cache, decoder, *rates)
    losses = results["losses"]["captioning"]
    assert losses["value"] < losses["unigram"]
    (found,) = [
        f for f in diagnose_run(read_run(tmp_path / "sick")) if "bigram model" in f.statement
    ]
    assert (found.rule, found.severity) == ("D17", "error")
    assert found.measured < 0.02
