"""A run folder as a finished run leaves it, made without training."""

import json
import math
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cinelex.metrics.nulls import infonce_floor
from cinelex.metrics.retrieval import rank_both_ways, retrieval_report
from cinelex.projects.interface.exhibits import Picture
from cinelex.projects.interface.results import Estimate, Group, Null, Results, Score

MASKED = "predictions/masked.png"
STEPS, BATCH, STUDIES, REPORTS = 600, 32, 60, 56
HOSTILE = '<script>alert("x")</script><img src=http://example.org/a.png onerror=alert(1)>'

_SEGMENTS = ("proximal LAD", "mid LAD", "first diagonal", "mid RCA", "distal RCA", "OM1", "PDA")


def write_fake_run(folder: Path) -> Path:
    """Fill a folder with a config, a record, results and predictions that fit together."""
    (folder / "predictions" / "frames").mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"name: {folder.name}\nsteps: {STEPS}\nbatch: {BATCH}\ntemperature: 0.1\n"
        "learn_temperature: true\n"
        "loss_weights: {contrastive: 2.0, captioning: 0.3, masked_modeling: 0.1}\n"
    )
    _write_lines(folder / "metrics.jsonl", _records())
    (folder / "results.json").write_text(json.dumps(_results()))
    _write_lines(folder / "predictions" / "retrieval.jsonl", _retrieval_rows(folder))
    _write_lines(folder / "predictions" / "captions.jsonl", _caption_rows())
    _masked_picture().save(folder / MASKED)
    return folder


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run's folder, made once; nobody changes it."""
    return write_fake_run(tmp_path_factory.mktemp("runs") / "multitask")


@pytest.fixture
def run_folder(finished_run: Path, tmp_path: Path) -> Path:
    """Return a finished run's folder that a test may change."""
    return Path(shutil.copytree(finished_run, tmp_path / "multitask"))


def report_text(number: int) -> str:
    """Return the report of a study, with its two lesions."""
    first, second = _lesions(number)
    return (
        f"Coronary angiography. Right dominant circulation. The left main is free of disease. "
        f"There is a {first[1]} % stenosis of the {first[0]} and a {second[1]} % stenosis of the "
        f"{second[0]}. TIMI 3 flow throughout."
    )


def _lesions(number: int) -> tuple[tuple[str, int], tuple[str, int]]:
    first, second = number % 7, (number // 7 + 3) % 7
    second = (second + 1) % 7 if second == first else second
    return (_SEGMENTS[first], 30 + number * 7 % 65), (_SEGMENTS[second], 25 + number * 11 % 70)


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _records() -> list[dict[str, Any]]:
    noise = np.random.default_rng(0)
    rows: list[dict[str, Any]] = [{"kind": "start", "version": "0.1.0"}]
    for step in range(1, STEPS + 1):
        done = step / STEPS
        temperature = 0.1 * math.exp(-0.35 * done)
        plateau = 1 / (1 + math.exp(14 * (done - 0.45)))
        contrastive = (0.9 + 2.55 * plateau) * (1 + 0.06 * noise.standard_normal())
        captioning = 0.35 + 7.2 * math.exp(-9 * done) + 0.05 * noise.standard_normal()
        masked = 0.42 + 0.6 * math.exp(-6 * done) + 0.02 * noise.standard_normal()
        rows.append(
            {
                "kind": "step",
                "step": step,
                "loss": 2 * contrastive + 0.3 * captioning + 0.1 * masked,
                "loss/contrastive": contrastive,
                "loss/captioning": captioning,
                "loss/masked_modeling": masked,
                "chance/contrastive": math.log(BATCH) - 0.01 * noise.random(),
                "chance/captioning": math.log(2048),
                "chance/masked_modeling": 1.0,
                "floor/contrastive": infonce_floor(BATCH, temperature),
                "temperature": temperature,
                "learning_rate": 1e-3 * min(step / 60, (1 + math.cos(math.pi * done)) / 2),
                "grad_norm": float(np.exp(0.4 * noise.standard_normal() + 1.5 * (1 - done))),
                "skipped": 0.0,
                "step_ms": 400.0,
            }
        )
        if step % 150 == 0:
            rows.append(_validation(step, 1 - plateau))
    return rows


def _validation(step: int, learned: float) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": "validation", "step": step}
    row["retrieval/positive_cosine"] = 0.9 - 0.2 * learned
    row["retrieval/negative_cosine"] = 0.9 - 0.8 * learned
    for direction, best in (("study_to_report", 0.36), ("report_to_study", 0.33)):
        for k in (1, 5):
            key = f"retrieval/{direction}/recall_at_{k}"
            row[key] = k / 97 + best * learned * (1 + (k > 1))
            row[f"{key}/chance"] = k / 97
    return row


def _embeddings() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    report = torch.randn(REPORTS, 12, generator=generator)
    own = torch.cat([torch.arange(REPORTS), torch.arange(STUDIES - REPORTS)])
    return report[own] + 1.6 * torch.randn(STUDIES, 12, generator=generator), report, own


def _results() -> dict[str, Any]:
    results = Results(
        groups=[*_retrieval(), _losses(), _captioning(), _masked()],
        counts={"retrieval.gallery.study_to_report": REPORTS},
        pictures=[Picture(title="Masked clips", note="Rebuilt.", path=Path(MASKED))],
    )
    hashes = {what: what[0] * 64 for what in ("config", "data", "checkpoint", "code")}
    return {**results.as_json(), "provenance": hashes}


def _retrieval() -> list[Group]:
    report: dict[str, Any] = dict(retrieval_report(*_embeddings()))
    groups = []
    for direction in ("study_to_report", "report_to_study"):
        scores = [
            Score(
                name=f"retrieval.{direction}.{metric}",
                label=metric.replace("_", " ").capitalize(),
                value=entry["value"],
                low=entry["low"],
                high=entry["high"],
                nulls={"chance": Null(value=entry["chance"])},
                unit="share" if "recall" in metric else "rank" if "rank" in metric else "",
                better="lower" if "rank" in metric else "higher",
                headline=metric == "recall_at_1",
            )
            for metric, entry in report[direction].items()
        ]
        title = direction.replace("_", " ").capitalize()
        groups.append(Group(title=title, note="Whole gallery.", scores=scores))
    return groups


def _losses() -> Group:
    nulls = {"chance": 7.62, "unigram": 4.1, "other_studys_video": 0.93}
    score = Score(
        name="losses.captioning",
        label="Captioning loss",
        value=0.41,
        nulls={name: Null(value=value) for name, value in nulls.items()},
        unit="nats per token",
        better="lower",
    )
    return Group(title="Loss terms", note="Held-out studies.", scores=[score])


def _masked() -> Group:
    score = Score(
        name="masked_modeling.pixel_mse",
        label="Hidden pixels",
        value=0.0021,
        nulls={"predict_the_mean": Null(value=0.0062)},
        better="lower",
        headline=True,
    )
    return Group(title="Masked modelling", note="Squared error.", scores=[score])


def _captioning() -> Group:
    table = {
        "lesion_f1_10pp": (0.44, 0.03, 0.11, 0.45, 0.29),
        "number_recall": (0.52, 0.0, 0.14, 0.12, 0.33),
        "hallucination_rate": (0.27, 0.0, 0.66, 0.68, 0.47),
        "bleu4": (0.74, 0.72, 0.66, 0.71, 0.69),
    }
    names = ("constant_normal", "shuffled", "text_only", "nearest_report")
    scores = [
        Score(
            name=f"captioning.{metric}",
            label=metric,
            nulls={
                name: Null(**_around(null), margin=Estimate(**_around(value - null)))
                for name, null in zip(names, nulls, strict=True)
            },
            unit="" if metric == "bleu4" else "share",
            better="lower" if "rate" in metric else "higher",
            headline=metric == "lesion_f1_10pp",
            **_around(value),
        )
        for metric, (value, *nulls) in table.items()
    ]
    return Group(title="Captions", note="Beside answers that cost nothing.", scores=scores)


def _around(value: float) -> dict[str, Any]:
    low, high = sorted((value * 0.93, value * 1.07))
    return {"value": value, "low": low, "high": high}


def _retrieval_rows(folder: Path) -> list[dict[str, Any]]:
    study, report, own = _embeddings()
    ranks = rank_both_ways(study, report, own)["study_to_report"].rank
    scores = (
        torch.nn.functional.normalize(study, dim=1) @ torch.nn.functional.normalize(report, dim=1).T
    )
    rows = []
    for number in range(STUDIES):
        name = f"study-{number:04d}"
        _frames(number).save(folder / "predictions" / "frames" / f"{name}.png")
        nearest = scores[number].topk(5)
        rows.append(
            {
                "study_id": name,
                "rank": int(ranks[number]),
                "split": "test",
                "report": report_text(int(own[number])),
                "nearest": [
                    {"report": report_text(int(item)), "score": float(score)}
                    for score, item in zip(nearest.values, nearest.indices, strict=True)
                ],
                "frames": f"frames/{name}.png",
            }
        )
    return rows


def _caption_rows() -> list[dict[str, Any]]:
    rows = []
    for number in range(20):
        first, second = _lesions(number)
        said = first[1] if number % 3 else first[1] + 25
        spans = [
            {"text": "Coronary angiography. There is a ", "verdict": "neutral"},
            {
                "text": f"{said} % stenosis of the {first[0]} ",
                "verdict": "right" if number % 3 else "wrong",
            },
            {"text": ". TIMI 3 flow throughout.", "verdict": "neutral"},
            {"text": f"{second[1]} % {second[0]}", "verdict": "missing"},
        ]
        rows.append(
            {
                "study_id": f"study-{number:04d}",
                "reference": report_text(number),
                "caption": "".join(span["text"] for span in spans[:3]),
                "spans": spans,
            }
        )
    return rows


def _frames(number: int, *, frames: int = 8, size: int = 64) -> Image.Image:
    """Return frames side by side: a dark vessel that fills, on a grey ground with noise."""
    noise = np.random.default_rng(number)
    y, x = np.mgrid[0:size, 0:size] / size
    strip = []
    for frame in range(frames):
        middle = 0.5 + 0.22 * np.sin(5 * y + number + 0.1 * frame)
        width = 0.035 * (1 - 0.6 * np.exp(-((y - 0.5) ** 2) / 0.003))
        vessel = np.exp(-((x - middle) ** 2) / width**2) * (y < 0.25 + frame / 8)
        strip.append(0.62 - 0.15 * (x - 0.5) - 0.4 * vessel + 0.03 * noise.standard_normal(x.shape))
    pixels = (255 * np.clip(np.concatenate(strip, axis=1), 0, 1)).astype(np.uint8)
    return Image.fromarray(pixels)


def _masked_picture() -> Image.Image:
    rows = [np.asarray(_frames(number)) for number in (1, 1, 1)]
    masked = rows[1].copy()
    hidden = np.kron(np.random.default_rng(0).random((8, 64)) < 0.75, np.ones((8, 8))) > 0
    masked[hidden] = 110
    return Image.fromarray(np.concatenate([rows[0], masked, rows[2]], axis=0))
