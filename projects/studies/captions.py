"""Captions of held-out studies beside what a captioner that never looks would score."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from cinelex.config.schema import RunConfig
from cinelex.core.distributed import gather_json, is_main
from cinelex.core.files import write_whole
from cinelex.core.randomness import numpy_generator
from cinelex.data.loader import Samples, evaluation_batches
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.metrics.baselines import constant_normal_caption, shuffled
from cinelex.metrics.bootstrap import Groups
from cinelex.metrics.captions import caption_report
from cinelex.metrics.facts.fact import CORONARY
from cinelex.metrics.facts.parse import read
from cinelex.metrics.facts.spans import coloured_spans
from cinelex.models.contracts import CaptionDecoder
from cinelex.models.search import GREEDY, Constraint, Search
from cinelex.models.study_model import EncodedStudies, StudyModel
from cinelex.projects.interface.results import Score
from cinelex.projects.studies.encoding import device_of, encode_batch
from cinelex.projects.studies.measures import CAPTIONING, scores_of

ConstraintOf = Callable[[Sequence[str], torch.device], Constraint]
"""From the ids of the studies of a batch to what holds their captions."""
MIN_STATING = 0.05
"""Share of the reports that must state a fact for captions to be scored by such facts."""


@dataclass(frozen=True)
class Written:
    """Captions of some studies, and what the same decoder writes where something is taken away."""

    captions: Sequence[str]
    beside: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Captions by the name of the null that they are."""
    bounds: tuple[str, ...] = ()
    """Names of those that know more than captions may."""
    others: Sequence[Sequence[str]] = ()
    """The next best captions of each study, where they were asked for."""


def search_of(config: RunConfig) -> Search:
    """Return how a run's captions are chosen."""
    return Search(**config.evaluation.generation.model_dump(), seed=config.seed)


def write_captions(model: StudyModel, dataset: Samples, **named: Any) -> list[str]:
    """Return the best generated report of each study; see `write_choices`."""
    return [best for best, *_ in write_choices(model, dataset, **named)]


@torch.no_grad()
def write_choices(
    model: StudyModel,
    dataset: Samples,
    *,
    batch: int,
    max_tokens: int,
    constraint_of: ConstraintOf | None = None,
    look: bool = True,
    search: Search = GREEDY,
) -> list[list[str]]:
    """Return the generated reports of each study, the best first, in the data set's order.

    Every rank returns them all. There is one of each study, or ``search.n_best`` where nothing
    holds the decoder.

    Args:
        model: The trained module, in evaluation mode.
        dataset: The studies.
        batch: Studies at once.
        max_tokens: Tokens after which a report ends.
        constraint_of: What holds the decoder, if anything does.
        look: False shows the decoder zeros in the place of every study.
        search: How each is chosen.
    """
    assert model.caption_decoder is not None
    device, captions = device_of(model), list[list[str]]()
    for studies in evaluation_batches(dataset, batch=batch):
        encoded = encode_batch(model, studies.to(device))
        if not look:
            encoded = replace(encoded, memory=torch.zeros_like(encoded.memory))
        told = told_of(
            encoded,
            model.caption_decoder,
            dataset.tokenizer,
            max_tokens=max_tokens,
            constraint=constraint_of(studies.study_ids, device) if constraint_of else None,
            search=search,
        )
        each = len(told) // studies.studies
        captions += [told[start : start + each] for start in range(0, len(told), each)]
    return [choices for part in gather_json(captions) for choices in part]


def told_of(
    encoded: EncodedStudies,
    decoder: CaptionDecoder,
    tokenizer: Tokenizer,
    *,
    max_tokens: int,
    constraint: Constraint | None = None,
    search: Search = GREEDY,
) -> list[str]:
    """Return a generated report a study, or its ``search.n_best`` one after the other, as text.

    A caption that is held to what heads found has one beginning, whatever ``search`` says.
    """
    if constraint is not None:
        search = replace(search, beams=1, n_best=1)
    token_ids = decoder.generate(
        encoded.memory,
        encoded.mask,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
        pad_id=tokenizer.pad_id,
        max_tokens=max_tokens,
        constraint=constraint,
        search=search,
    )
    return [tokenizer.decode(row) for row in token_ids.tolist()]


def captioning_scores(
    written: Written,
    references: Sequence[str],
    training_reports: Sequence[str],
    nearest_reports: Sequence[str],
    *,
    groups: Groups,
    facts: str,
    resamples: int,
    seed: int,
) -> list[Score]:
    """Return every score of the captions beside its baselines.

    Args:
        written: Captions of the held-out studies, and others to set beside them.
        references: Their reports.
        training_reports: What the text-only baselines know.
        nearest_reports: For each held-out study, the training report nearest to its videos.
        groups: The patient of each, by a number.
        facts: The kind of facts that captions are scored by.
        resamples: Bootstrap resamples of the patients.
        seed: Decides what is drawn and shuffled.
    """
    if facts == CORONARY and fmean(bool(read(text).facts) for text in references) < MIN_STATING:
        facts = "none"  # scores of what nobody states are undefined
    draw = numpy_generator(seed, "text-only captions")
    drawn = draw.integers(len(training_reports), size=len(references))
    baselines: Mapping[str, Sequence[str] | None] = {
        "constant_normal": [constant_normal_caption(training_reports)] * len(references),
        # the caption of another study, where there is another
        "shuffled": (shuffled(written.captions, seed=seed) if len(written.captions) > 1 else None),
        # a report drawn from the training set is an exact sample of what text alone can know
        "text_only": [training_reports[index] for index in drawn],
        "nearest_report": nearest_reports,
        **written.beside,
    }
    report = caption_report(
        references,
        written.captions,
        baselines,
        facts=facts,
        groups=groups,
        resamples=resamples,
        seed=seed,
    )
    if written.bounds:
        report = {name: {**entry, "bounds": written.bounds} for name, entry in report.items()}
    return scores_of(CAPTIONING, report, at="captioning")


def keep_captions(
    path: Path, ids: Sequence[str], references: Sequence[str], written: Written
) -> None:
    """Write each caption beside its reference, its facts marked right, wrong or missing."""
    if not is_main():
        return
    rows = [
        {
            "study_id": study,
            "reference": reference,
            "caption": caption,
            "spans": coloured_spans(reference, caption),
        }
        for study, reference, caption in zip(ids, references, written.captions, strict=True)
    ]
    for row, others in zip(rows, written.others, strict=False):
        row["others"] = list(others)
    write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))
