"""Whether a study is nearer to its report than to a twin that differs in one fact."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.randomness import numpy_generator
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.metrics.bootstrap import Groups, interval
from cinelex.metrics.facts.twins import CHANGES, Change, Twins
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.models.video_text import VideoText
from cinelex.projects.interface.results import Estimate, Group, Null, Score
from cinelex.projects.studies.data import StudyData
from cinelex.projects.studies.encoding import encode_studies, encode_texts

NOTE = (
    "Each held-out study is held against its report and a twin of it that denies one finding, "
    "moves it to another segment, swaps the side, or alters one number. A tie is wrong. "
    "With another study's video, only what the text alone gives away is right."
)
MIN_PAIRS = 2
"""Pairs below which nothing is said: the video of another study is needed."""
LABELS: Mapping[Change, str] = {
    "negation": "Own report above its negated twin",
    "segment": "Own report above its twin in another segment",
    "side": "Own report above its twin on the other side",
    "number": "Own report above its twin with another number",
}


def counterfactual_groups(config: RunConfig, data: StudyData, model: VideoText) -> list[Group]:
    """Return, by kind of change, the share of held-out studies that are ranked right.

    Nothing is returned where no report has a fact that can be changed.
    """
    batch = config.evaluation.batch
    study = encode_studies(model, data.test, batch=batch).numpy()
    draw = numpy_generator(config.seed, "counterfactual reports")
    twins = Twins(data.train.studies.reports, vocabulary(config.facts.vocabulary))
    scores = []
    for change in CHANGES:
        pairs = twin_pairs(twins, data.test.studies.reports, change, draw)
        if len(pairs) < MIN_PAIRS:
            continue
        own, other = (
            _rows(model, [pair[side] for pair in pairs.values()], data.tokenizer, batch)
            for side in (0, 1)
        )
        toward, chosen = (own - other).numpy(), list(pairs)
        right, blind = (
            ((study[rows] * toward).sum(axis=1) > 0).astype(np.float64)
            for rows in (chosen, np.roll(chosen, 1))
        )
        scores.append(
            _score(
                change,
                right,
                blind,
                data.test.patient_groups[chosen],
                resamples=config.evaluation.bootstrap,
                seed=config.seed,
            )
        )
    return [Group(title="Counterfactual reports", note=NOTE, scores=scores)] if scores else []


def twin_pairs(
    twins: Twins, reports: Sequence[str], change: Change, draw: np.random.Generator
) -> dict[int, tuple[str, str]]:
    """Return report and twin of each study that has one, by the study's index."""
    found = ((index, twins.of(report, change, draw)) for index, report in enumerate(reports))
    return {index: (reports[index], twin) for index, twin in found if twin is not None}


def _rows(
    model: VideoText, texts: Sequence[str], tokenizer: Tokenizer, batch: int
) -> Float[Tensor, "text dim"]:
    token_ids = [torch.tensor(tokenizer.encode(text)) for text in texts]
    return encode_texts(model, token_ids, pad_id=tokenizer.pad_id, kept=None, batch=batch)


def _score(
    change: Change,
    right: Float[np.ndarray, " pair"],
    blind: Float[np.ndarray, " pair"],
    patients: Groups,
    *,
    resamples: int,
    seed: int,
) -> Score:
    drawing: Any = {"groups": patients, "resamples": resamples, "seed": seed}
    low, high = interval(right, **drawing)
    margin = right - blind
    ends = interval(margin, **drawing)
    return Score(
        name=f"counterfactuals.{change}",
        label=LABELS[change],
        value=float(right.mean()),
        low=low,
        high=high,
        unit="share",
        better="higher",
        headline=True,
        nulls={
            "chance": Null(value=0.5),
            "another_studys_video": Null(
                value=float(blind.mean()),
                margin=Estimate(value=float(margin.mean()), low=ends[0], high=ends[1]),
            ),
        },
    )
