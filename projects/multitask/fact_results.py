"""How well the heads answer held-out studies, fact by fact, beside what knows less would answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from cinelex.metrics.bootstrap import Groups, Weighted
from cinelex.metrics.calibration import (
    calibrated_error,
    calibration_error,
    calibration_line,
)
from cinelex.metrics.facts.vocabulary import Attribute
from cinelex.metrics.weighted import WITHIN, agreement_of, auroc_of, estimated, less, mean_of
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Estimate, Group, Null, Score
from cinelex.projects.multitask.fact_places import place_tables
from cinelex.projects.multitask.fact_probabilities import Judged, probability_tables
from cinelex.projects.multitask.fact_reading import Answers, FactReader, words_of

NOTE = (
    "Read from the reports by the parser, asked of the videos; calibrated on validation studies. "
    "A place or a number that a report leaves open is not scored. Intervals resample patients."
)
AGREEMENT: Mapping[str, tuple[str, str]] = {
    "bias": ("bias, predicted minus stated", ""),
    "limit_low": ("lower 95 % limit of agreement", ""),
    "limit_high": ("upper 95 % limit of agreement", ""),
    "within_10": ("share within 10", "share"),
    "sd_ratio": ("sd(prediction) / sd(truth)", "1"),
    "slope": ("slope of prediction over truth", "1"),
}


@dataclass(frozen=True)
class Asked:
    """What held-out studies are asked, and what stands beside the answers."""

    truth: Float[np.ndarray, "study fact"]
    """What the reports state; NaN where they are silent."""
    mean: Float[np.ndarray, " fact"]
    """Of the training reports."""
    patients: Groups
    nulls: Mapping[str, Answers]
    """Answers without the video, by the name of the null."""
    bounds: tuple[str, ...]
    """Names of those that see the study."""
    resamples: int
    seed: int

    def score(
        self,
        name: str,
        label: str,
        statistic: Weighted,
        owners: Groups,
        *,
        beside: Mapping[str, Weighted] | None = None,
        nulls: Mapping[str, float] | None = None,
        bounds: tuple[str, ...] = (),
        **about: Any,
    ) -> Score:
        """Return a score with its interval over patients.

        Args:
            name: Below ``facts``.
            label: What the page calls it.
            statistic: The score, of any weights of the items.
            owners: The patient of each item.
            beside: What else answered the same items, by the name of the null.
            nulls: What is known without answers, by the name of the null.
            bounds: Those of ``nulls`` that are better than a score has to be.
            about: Unit, and which way is better.
        """
        drawing: Any = {"resamples": self.resamples, "seed": self.seed}
        own: Any = estimated(statistic, owners, **drawing)
        found = {key: Null(value=value) for key, value in (nulls or {}).items()}
        for null, other in (beside or {}).items():
            margin = Estimate(**estimated(less(statistic, other), owners, **drawing))
            found[null] = Null(**estimated(other, owners, **drawing), margin=margin)
        return Score(
            name=f"facts.{name}",
            label=label,
            **own,
            nulls=found,
            bounds=(*bounds, *(bound for bound in self.bounds if bound in (beside or {}))),
            **about,
        )


def fact_results(reader: FactReader, answers: Answers, asked: Asked) -> tuple[Group, list[Table]]:
    """Return, by attribute, how well presence and amount are found, and tables for the page.

    They are of the places of each attribute, of reliability, and of net benefit.

    ``predict_the_mean`` answers every study alike: with the share of the training reports that have
    it, or with their mean number.
    """
    scores: list[Score] = []
    probabilities: list[Judged] = []
    for attribute, places, known in _attributes(reader, asked):
        truth = asked.truth[:, places][known]
        owners = np.broadcast_to(asked.patients[:, None], known.shape)[known]
        if attribute.kind != "number" and len(truth):
            chance, there = reader.probabilities(attribute, answers)[known], truth > 0
            beside = {
                name: reader.probabilities(attribute, other)[known]
                for name, other in asked.nulls.items()
            }
            scores += _presence(attribute.name, chance, there, beside, owners, asked)
            probabilities.append((words_of(attribute.name), chance, there))
        if attribute.kind in ("extent", "number"):
            scores += _amount(reader, attribute, answers, asked)
    tables = place_tables(
        reader,
        answers,
        asked.truth,
        asked.patients,
        mean=asked.mean,
        resamples=asked.resamples,
        seed=asked.seed,
    )
    tables += probability_tables(probabilities)
    return Group(title="Facts", note=NOTE, scores=scores), tables


def _attributes(
    reader: FactReader, asked: Asked
) -> Iterator[tuple[Attribute, list[int], Bool[np.ndarray, "study place"]]]:
    for attribute in reader.vocabulary.attributes:
        places = reader.places(attribute, "level")
        if places:
            yield attribute, places, np.isfinite(asked.truth[:, places])


def _presence(
    name: str,
    chance: Float[np.ndarray, " item"],
    there: Bool[np.ndarray, " item"],
    beside: Mapping[str, Float[np.ndarray, " item"]],
    owners: Groups,
    asked: Asked,
) -> list[Score]:
    share, words = float(there.mean()), words_of(name)
    error, low, high = calibrated_error(chance)
    slope, intercept = calibration_line(chance, there)
    return [
        asked.score(
            f"{name}.auroc",
            f"{words}, AUROC of presence",
            auroc_of(chance, there),
            owners,
            beside={null: auroc_of(other, there) for null, other in beside.items()},
            nulls={"chance": 0.5},
            better="higher",
            headline=True,
        ),
        asked.score(
            f"{name}.brier",
            f"{words}, Brier score of its probability",
            mean_of(np.square(chance - there)),
            owners,
            nulls={"predict_the_mean": share * (1 - share)},
            better="lower",
            headline=True,
        ),
        Score(
            name=f"facts.{name}.calibration_error",
            label=f"{words}, calibration error of its probability",
            value=calibration_error(chance, there),
            nulls={
                "calibrated_model": Null(
                    value=error, low=low, high=high, margin=Estimate(value=None)
                )
            },
            bounds=("calibrated_model",),
            better="lower",
        ),
        *(
            Score(
                name=f"facts.{name}.calibration_{part}",
                label=f"{words}, calibration {part}",
                value=value if np.isfinite(value) else None,
                nulls={"calibrated_model": Null(value=best)},
                bounds=("calibrated_model",),
            )
            for part, value, best in (("slope", slope, 1.0), ("intercept", intercept, 0.0))
        ),
    ]


def _amount(
    reader: FactReader, attribute: Attribute, answers: Answers, asked: Asked
) -> list[Score]:
    places = reader.places(attribute, "level")
    told = asked.truth[:, places]
    stated = np.isfinite(told) & ((told > 0) | (attribute.kind == "number"))
    part = "value" if attribute.kind == "extent" else "level"
    mean = np.broadcast_to(asked.mean[reader.places(attribute, part)], told.shape)[stated]
    owners = np.broadcast_to(asked.patients[:, None], told.shape)[stated]
    truth, said = told[stated], reader.numbers(attribute, answers)[stated]
    found, words = agreement_of(said, truth), words_of(attribute.name)
    constant = agreement_of(mean, truth)
    grade = len(truth) > 0 and float(np.ptp(truth)) <= WITHIN  # any grade of TIMI is within 10
    beside = {
        name: agreement_of(reader.numbers(attribute, other)[stated], truth)["mae"]
        for name, other in asked.nulls.items()
    }
    own = asked.score(
        f"{attribute.name}.mae",
        f"{words}, mean error where reports state it",
        found["mae"],
        owners,
        beside={"predict_the_mean": constant["mae"], **beside},
        unit=attribute.unit,
        better="lower",
        headline=True,
    )
    return [own] + [
        asked.score(
            f"{attribute.name}.{key}",
            f"{words}, {label}",
            found[key],
            owners,
            unit="" if unit == "1" else unit or attribute.unit,
            nulls={"predict_the_mean": 0.0, "ideal": 1.0} if unit == "1" else {},
            beside={"predict_the_mean": constant[key]} if unit == "share" else {},
            better="higher" if unit == "share" else None,
            bounds=("ideal",) if unit == "1" else (),
        )
        for key, (label, unit) in AGREEMENT.items()
        if not (grade and key == "within_10")
    ]
