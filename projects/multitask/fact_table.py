"""The structured table of what the heads found."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.projects.multitask.fact_reading import Answers, FactReader

DECIMALS = 4
"""Of a probability: what the calibration on a few hundred studies can tell is coarser."""


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
                column = values[:, number].astype(np.float64).round(DECIMALS).tolist()
                table[f"{attribute.name}.{place}{suffix}"] = column
    return table
