"""The caption scores as `evaluate` metrics that need no hub.

`evaluate.load` would download a script; these classes are the same interface over installed
packages. Training does not import this module: `evaluate` costs seconds to import, and
`cinelex.metrics.captions` computes the same numbers from counts that can be resampled.
"""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from typing import Final

import datasets  # type: ignore[import-untyped]
import evaluate
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from cinelex.core.errors import UserError
from cinelex.metrics import bleu, cider, rouge
from cinelex.metrics.distinct import VARIANT, distinct
from cinelex.metrics.facts import score_facts

_FEATURES: Final = {
    "predictions": datasets.Value("string"),
    "references": datasets.Value("string"),
}
_INPUTS: Final = "predictions: one text per study. references: the report of the same study."


class _TextMetric(evaluate.Metric):  # type: ignore[misc]
    """An `evaluate` metric of one prediction and one reference per study, kept in memory.

    `compute` raises a ValueError where predictions and references differ in number.
    """

    description = ""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as unused:
            super().__init__(cache_dir=unused, keep_in_memory=True, seed=0)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.description,
            citation="",
            inputs_description=_INPUTS,
            features=datasets.Features(_FEATURES),
        )


class Bleu(_TextMetric):
    """Corpus BLEU-1 to BLEU-4 by sacrebleu, in [0, 1]."""

    description = bleu.VARIANT

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        scores = {}
        for order in range(1, bleu.ORDERS + 1):
            metric = BLEU(lowercase=True, tokenize="13a", max_ngram_order=order)
            score = metric.corpus_score(list(predictions), [list(references)]).score
            scores[f"bleu{order}"] = score / 100
        return scores


class Rouge(_TextMetric):
    """Mean F-measure of ROUGE-1, ROUGE-2 and ROUGE-L by rouge-score, in [0, 1]."""

    description = rouge.VARIANT

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        metric = RougeScorer(list(rouge.NAMES), use_stemmer=False)
        pairs = list(zip(references, predictions, strict=True))
        scores = [metric.score(reference, prediction) for reference, prediction in pairs]
        return {
            name: sum(score[name].fmeasure for score in scores) / len(scores)
            for name in rouge.NAMES
        }


class CiderD(_TextMetric):
    """Mean CIDEr-D, in [0, 10]."""

    description = cider.VARIANT

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        return {"cider": float(cider.cider_d(references, predictions).mean())}


class ChrF(_TextMetric):
    """Corpus chrF2 by sacrebleu, in [0, 1]."""

    description = "corpus chrF2, sacrebleu nrefs:1|case:lc|eff:yes|nc:6|nw:0|space:no, in [0, 1]"

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        score = CHRF(lowercase=True).corpus_score(list(predictions), [list(references)]).score
        return {"chrf": score / 100}


class Meteor(_TextMetric):
    """Mean METEOR 1.5 by pycocoevalcap, whose Java program and tables come with that package."""

    description = "METEOR 1.5, mean over studies, pycocoevalcap, English, in [0, 1]"

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        """Return the score.

        Raises:
            UserError: There is no Java, or no pycocoevalcap.
        """
        if shutil.which("java") is None or find_spec("pycocoevalcap") is None:
            raise UserError(
                "METEOR needs java and `pip install pycocoevalcap`, which holds its data"
            )
        from pycocoevalcap.meteor.meteor import Meteor as Program

        program = Program()
        try:
            pairs = list(zip(references, predictions, strict=True))
            mean, _ = program.compute_score(
                {n: [reference] for n, (reference, _) in enumerate(pairs)},
                {n: [prediction] for n, (_, prediction) in enumerate(pairs)},
            )
        finally:
            program.meteor_p.kill()
            program.meteor_p.communicate()  # also closes its pipes, which nothing else does
        return {"meteor": float(mean)}


class Distinct(_TextMetric):
    """Share of n-grams of words that differ, over all predictions; references are not looked at."""

    description = VARIANT

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float]:
        return {f"distinct{n}": distinct(predictions, n) for n in (1, 2)}


class StenosisFact(_TextMetric):
    """Micro-averaged agreement of the facts of coronary reports; None where undefined."""

    description = "Facts parsed from coronary reports and compared: see metrics.facts.score."

    def _compute(
        self, predictions: Sequence[str], references: Sequence[str]
    ) -> dict[str, float | None]:
        return asdict(score_facts(references, predictions))
