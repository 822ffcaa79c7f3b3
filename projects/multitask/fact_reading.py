"""What the heads found in studies: calibrated probabilities, values, and what is told of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from cinelex.core.distributed import gather_rows
from cinelex.core.randomness import numpy_generator
from cinelex.data.loader import Samples, evaluation_batches
from cinelex.metrics.facts.calibration import Presence, Scale, nearest_stated
from cinelex.metrics.facts.claims import Claim
from cinelex.metrics.facts.targets import Column
from cinelex.metrics.facts.vocabulary import Attribute, Vocabulary
from cinelex.models.study_model import EncodedStudies
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.fact_constraint import CaptionClaims
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.studies.encoding import device_of, encode_batch

Answers = Float[np.ndarray, "study fact"]
"""What the heads say, in the facts' units."""


def answers_of(model: VideoText, encoded: EncodedStudies) -> Float[Tensor, "study fact"]:
    """Return what the heads say of studies, in the facts' units."""
    assert encoded.facts is not None
    return encoded.facts * model.fact_std + model.fact_mean


@torch.no_grad()
def read_facts(model: VideoText, dataset: Samples, *, batch: int) -> Answers:
    """Return what the heads say of every study, on every rank.

    Args:
        model: The trained module, in evaluation mode.
        dataset: The studies.
        batch: Studies at once.
    """
    device, rows = device_of(model), []
    for studies in evaluation_batches(dataset, batch=batch):
        rows.append(answers_of(model, encode_batch(model, studies.to(device))).cpu())
    return np.asarray(gather_rows(torch.cat(rows)).numpy())


@dataclass(frozen=True)
class FactReader:
    """Turns answers of the heads into probabilities, values and claims."""

    vocabulary: Vocabulary
    columns: Sequence[Column]
    asked: frozenset[str]
    """Names of the levels that were trained."""
    presence: Mapping[str, Presence] = field(default_factory=dict)
    """By attribute; one that is not here was not fitted."""
    scale: Mapping[str, Scale] = field(default_factory=dict)
    """By attribute, for extents and numbers."""
    stated: Mapping[str, Float[np.ndarray, " number"]] = field(default_factory=dict)
    """By attribute, the numbers that training reports state of it."""

    @classmethod
    def fit(
        cls, labels: FactLabels, answers: Answers, ids: Sequence[str], training: Sequence[str]
    ) -> "FactReader":
        """Calibrate on studies that nothing was trained on.

        Args:
            labels: What the reports state.
            answers: Of the heads, for the studies ``ids``.
            ids: Validation studies.
            training: Training studies, for the numbers that reports state.
        """
        asked = frozenset(
            column.name
            for column, std in zip(labels.columns, labels.statistics.std.tolist(), strict=True)
            if std > 0
        )
        bare = cls(labels.vocabulary, labels.columns, asked)
        truth, known = labels.values(ids), labels.values(training)
        presence, scale, stated = {}, {}, {}
        for attribute in labels.vocabulary.attributes:
            level, value = bare.places(attribute, "level"), bare.places(attribute, "value")
            if not level:
                continue
            told = truth[:, level]
            there = np.isfinite(told)
            if attribute.kind in ("extent", "presence", "choice"):
                presence[attribute.name] = Presence.fit(answers[:, level][there], told[there] > 0)
            numbers = value or (level if attribute.kind == "number" else [])
            if numbers:
                own = np.isfinite(truth[:, numbers])
                scale[attribute.name] = Scale.fit(
                    bare.answered(attribute, answers)[own], truth[:, numbers][own]
                )
                seen = known[:, numbers]
                stated[attribute.name] = np.unique(seen[np.isfinite(seen)])
        return cls(labels.vocabulary, labels.columns, asked, presence, scale, stated)

    def places(self, attribute: Attribute, part: str) -> list[int]:
        """Return the columns of an attribute that were trained."""
        return [
            number
            for number, column in enumerate(self.columns)
            if (column.attribute, column.part) == (attribute.name, part)
            # a value that too few reports state is answered by their mean
            and replace(column, part="level").name in self.asked
        ]

    def probabilities(
        self, attribute: Attribute, answers: Answers
    ) -> Float[np.ndarray, "study place"]:
        """Return the probability of each place or choice of an attribute."""
        fitted = self.presence.get(attribute.name, Presence())
        return fitted.probability(answers[:, self.places(attribute, "level")])

    def numbers(self, attribute: Attribute, answers: Answers) -> Float[np.ndarray, "study place"]:
        """Return the value, given that there is one, as reports state it."""
        value = self.scale[attribute.name].value(self.answered(attribute, answers))
        return nearest_stated(value, self.stated[attribute.name])

    def answered(
        self, attribute: Attribute, answers: Answers
    ) -> Float[np.ndarray, "study place answer"]:
        """Return all that the heads say of how much there is at each place."""
        parts = ("level", "value") if attribute.kind == "extent" else ("level",)
        return np.stack([answers[:, self.places(attribute, part)] for part in parts], axis=-1)

    def at_other_places(self, answers: Answers, *, seed: int) -> Answers:
        """Return answers that find as much in each study, and at places that are drawn anew."""
        shuffled, studies = answers.copy(), len(answers)
        for attribute in self.vocabulary.attributes:
            if attribute.kind == "extent":
                draw = numpy_generator(seed, "facts at other places", attribute.name)
                places = len(self.places(attribute, "level"))
                order = draw.permuted(np.tile(np.arange(places), (studies, 1)), axis=1)
                for part in ("level", "value"):
                    columns = self.places(attribute, part)
                    own = answers[:, columns]
                    shuffled[:, columns] = np.take_along_axis(own, order, axis=1)
        return shuffled

    def claims(self, answers: Answers) -> list[CaptionClaims]:
        """Return what the captions of these studies are to state, by what the heads found."""
        return self._claims(lambda attribute: self._found(attribute, answers), len(answers))

    def stated_by(self, labels: FactLabels, ids: Sequence[str]) -> list[CaptionClaims]:
        """Return what the captions of these studies would say if the heads knew the reports."""
        truth = np.nan_to_num(labels.values(ids))
        return self._claims(lambda attribute: self._true(attribute, truth), len(truth))

    def _claims(
        self, found_of: Callable[[Attribute], Sequence[Mapping[str, float]]], studies: int
    ) -> list[CaptionClaims]:
        must: list[set[Claim]] = [set() for _ in range(studies)]
        may: list[set[Claim]] = [set() for _ in range(studies)]
        for attribute in self.vocabulary.attributes:
            if not self.places(attribute, "level"):
                continue
            for study, found in enumerate(found_of(attribute)):
                for place, value in found.items():
                    # what is not there is said of whole vessels, and else if the decoder likes
                    said = value or place in self.vocabulary.places
                    (must if said else may)[study].add((attribute.name, place, value))
        return [CaptionClaims(frozenset(a), frozenset(b)) for a, b in zip(must, may, strict=True)]

    def _found(self, attribute: Attribute, answers: Answers) -> list[dict[str, float]]:
        """Return the value of each place that something is claimed of, 0 for a denial."""
        if attribute.kind == "number":
            return self._named(attribute, self.numbers(attribute, answers))
        chance = self.probabilities(attribute, answers)
        if attribute.kind == "choice":
            chosen = chance == chance.max(axis=1, keepdims=True)
            return self._named(attribute, chosen.astype(np.float64))
        there = chance >= self.presence[attribute.name].threshold
        values = self.numbers(attribute, answers) if attribute.kind == "extent" else 1.0
        return self._named(attribute, np.where(there, values, 0.0))

    def _true(self, attribute: Attribute, truth: Answers) -> list[dict[str, float]]:
        return self._named(attribute, truth[:, self.places(attribute, "level")])

    def _named(
        self, attribute: Attribute, values: Float[np.ndarray, "study place"]
    ) -> list[dict[str, float]]:
        """Put names to values; an alternative that was not chosen is not named."""
        places = [self.columns[number].place for number in self.places(attribute, "level")]
        found = [dict(zip(places, map(float, row), strict=True)) for row in values]
        if attribute.kind == "choice":
            return [{place: 1.0 for place, chosen in row.items() if chosen} for row in found]
        return [self._with_wholes(row) for row in found] if attribute.kind == "extent" else found

    def _with_wholes(self, claims: Mapping[str, float]) -> dict[str, float]:
        """Deny a whole vessel where none of its parts has anything, and then alone."""
        whole_of = self.vocabulary.whole_of
        diseased = {whole_of[place] for place, value in claims.items() if value}
        free = {whole_of[place] for place in claims} - diseased
        return {**claims, **dict.fromkeys(sorted(free), 0.0)}


def words_of(attribute: str) -> str:
    """Return what pages call an attribute."""
    return attribute.replace("_", " ").capitalize()
