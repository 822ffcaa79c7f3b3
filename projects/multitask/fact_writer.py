"""Turns the answers of the fact heads into text: a calibrated reader, and sentences of reports."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cinelex.core.errors import refusing
from cinelex.core.files import read_json, write_json
from cinelex.data.text.tokenizer import Tokenizer
from cinelex.metrics.facts.calibration import Presence, Scale
from cinelex.metrics.facts.targets import columns_of
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.models.search import Constraint
from cinelex.models.video_text import VideoText
from cinelex.projects.multitask.fact_constraint import CaptionClaims, FactConstraint
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_reading import Answers, FactReader, read_facts
from cinelex.projects.multitask.phrases import Phrases
from cinelex.projects.studies.data import StudyData

FACTS_FILE = "facts.json"
"""File of a fact writer in the run's folder; it holds sentences of the training reports."""


@dataclass(frozen=True)
class FactWriter:
    """Calibrated readings of the fact heads, and the sentences that can state them."""

    reader: FactReader
    phrases: Phrases

    @classmethod
    def fit(
        cls, model: VideoText, labels: FactLabels, data: StudyData, *, batch: int
    ) -> "FactWriter":
        """Calibrate on the validation studies, or on the training studies where there are none."""
        held = data.validation or data.train
        answers = read_facts(model, held, batch=batch)
        reader = FactReader.fit(labels, answers, held.studies.ids, data.train.studies.ids)
        phrases = Phrases.of(data.train.studies.reports, data.tokenizer, labels.vocabulary)
        return cls(reader, phrases)

    def constraint_of(
        self, claims: Mapping[str, CaptionClaims], ids: Sequence[str], device: torch.device
    ) -> Constraint:
        """Return the decoding constraint that holds these studies' captions to their claims."""
        return FactConstraint([claims[name] for name in ids], self.phrases, device=device)

    def constraint(self, answers: Answers, device: torch.device) -> Constraint:
        """Return the decoding constraint that holds captions to what the heads answered."""
        return FactConstraint(self.reader.claims(answers), self.phrases, device=device)

    def save(self, folder: Path) -> None:
        """Keep it in a run's folder."""
        reader = self.reader
        content = {
            "vocabulary": reader.vocabulary.name,
            "asked": sorted(reader.asked),
            "presence": {name: asdict(one) for name, one in reader.presence.items()},
            "scale": {name: asdict(one) for name, one in reader.scale.items()},
            "stated": {name: numbers.tolist() for name, numbers in reader.stated.items()},
            "sentences": self.phrases.texts,
        }
        write_json(folder / FACTS_FILE, content)

    @classmethod
    def load(cls, folder: Path, tokenizer: Tokenizer) -> "FactWriter | None":
        """Return what was kept; None where nothing was.

        Raises:
            UserError: The file is damaged; nothing of it is quoted.
        """
        path = folder / FACTS_FILE
        if not path.exists():
            return None
        content = read_json(path)
        with refusing(f"{path}: damaged", remedy="bring it back, or train the run again"):
            return cls._kept(content, tokenizer)

    @classmethod
    def _kept(cls, content: Any, tokenizer: Tokenizer) -> "FactWriter":
        words = vocabulary(content["vocabulary"])
        reader = FactReader(
            words,
            columns_of(words),
            frozenset(content["asked"]),
            {name: Presence(**one) for name, one in content["presence"].items()},
            {
                name: Scale(**{**one, "slopes": tuple(one["slopes"])})
                for name, one in content["scale"].items()
            },
            {name: np.array(numbers) for name, numbers in content["stated"].items()},
        )
        return cls(reader, Phrases(content["sentences"], tokenizer, words))
