"""How well the heads answer held-out studies, fact by fact, beside what the mean would answer."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from cinelex.data.studies.dataset import StudyDataset
from cinelex.metrics.calibration import calibrated_error, calibration_error
from cinelex.metrics.classification import auroc
from cinelex.metrics.facts.vocabulary import Attribute
from cinelex.projects.interface.results import Estimate, Group, Null, Score, headline
from cinelex.projects.multitask.fact_labels import FactLabels
from cinelex.projects.multitask.fact_reading import Answers, FactReader

NOTE = (
    "Read from the reports by the parser, asked of the videos; calibrated on validation studies. "
    "A place or a number that a report leaves open is not scored."
)


def fact_group(
    reader: FactReader, labels: FactLabels, answers: Answers, dataset: StudyDataset
) -> Group:
    """Return, by attribute, how well presence and amount are told.

    ``predict_the_mean`` answers every study alike: with the share of the training reports that have
    it, or with their mean number.
    """
    scores = [score for entry in _entries(reader, answers, labels, dataset) for score in entry]
    return Group(title="Facts", note=NOTE, scores=scores)


def _entries(
    reader: FactReader, answers: Answers, labels: FactLabels, dataset: StudyDataset
) -> Iterator[list[Score]]:
    truth = labels.values(dataset.studies.ids)
    for attribute in reader.vocabulary.attributes:
        places = reader.places(attribute, "level")
        if not places:
            continue
        told = truth[:, places]
        known = np.isfinite(told)
        if attribute.kind != "number":
            chance = reader.probabilities(attribute, answers)
            yield _presence(attribute, chance[known], told[known] > 0)
        if attribute.kind in ("extent", "number"):
            stated = known & ((told > 0) | (attribute.kind == "number"))
            said = reader.numbers(attribute, answers)
            value = "value" if attribute.kind == "extent" else "level"
            mean = labels.statistics.mean.numpy()[reader.places(attribute, value)]
            yield _amount(
                attribute, said[stated], told[stated], np.broadcast_to(mean, told.shape)[stated]
            )


def _presence(
    attribute: Attribute, chance: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> list[Score]:
    name, share = attribute.name, float(there.mean()) if len(there) else 0.0
    both = 0 < share < 1
    return [
        headline(
            f"facts.{name}.auroc",
            f"{_words(name)}, AUROC of presence",
            auroc(chance, there) if both else None,
            {"chance": 0.5},
            better="higher",
        ),
        headline(
            f"facts.{name}.brier",
            f"{_words(name)}, Brier score of its probability",
            float(np.square(chance - there).mean()) if len(there) else None,
            {"predict_the_mean": share * (1 - share)},
            better="lower",
        ),
        *([_calibration(name, chance, there)] if len(there) else []),
    ]


def _calibration(
    name: str, chance: Float[np.ndarray, " item"], there: Bool[np.ndarray, " item"]
) -> Score:
    mean, low, high = calibrated_error(chance)
    return Score(
        name=f"facts.{name}.calibration_error",
        label=f"{_words(name)}, calibration error of its probability",
        value=calibration_error(chance, there),
        nulls={
            "calibrated_model": Null(value=mean, low=low, high=high, margin=Estimate(value=None))
        },
        bounds=("calibrated_model",),
        better="lower",
    )


def _amount(
    attribute: Attribute,
    said: Float[np.ndarray, " item"],
    told: Float[np.ndarray, " item"],
    mean: Float[np.ndarray, " item"],
) -> list[Score]:
    any_told = bool(len(told))
    return [
        headline(
            f"facts.{attribute.name}.mae",
            f"{_words(attribute.name)}, mean error where reports state it",
            float(np.abs(said - told).mean()) if any_told else None,
            {"predict_the_mean": float(np.abs(mean - told).mean()) if any_told else None},
            unit=attribute.unit,
            better="lower",
        )
    ]


def fact_rows(reader: FactReader, answers: Answers) -> dict[str, list[Any]]:
    """Return the structured table: probabilities of what may be there, and numbers, by study.

    Columns are ``<attribute>.<place>.probability`` and ``<attribute>.<place>``; the number of an
    extent is given that there is something.
    """
    table: dict[str, list[Any]] = {}
    for attribute in reader.vocabulary.attributes:
        places = [reader.columns[n].place for n in reader.places(attribute, "level")]
        if not places:
            continue
        parts: Mapping[str, Float[np.ndarray, "study place"]] = {
            **(
                {".probability": reader.probabilities(attribute, answers)}
                if attribute.kind != "number"
                else {}
            ),
            **(
                {"": reader.numbers(attribute, answers)}
                if attribute.kind in ("extent", "number")
                else {}
            ),
        }
        for number, place in enumerate(places):
            for suffix, values in parts.items():
                table[f"{attribute.name}.{place}{suffix}"] = values[:, number].tolist()
    return table


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
