"""How well descriptors are told apart: the latent beside spaces that need no training."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped

from cinelex.config.schema import RunConfig
from cinelex.metrics.classification import balanced_accuracy
from cinelex.metrics.clusters import separation
from cinelex.projects.eq.data import EqData
from cinelex.projects.eq.encoding import EqSpace
from cinelex.projects.interface.results import Group, Score, headline

View = Callable[[EqSpace], torch.Tensor]
VIEWS: dict[str, View] = {
    "latent": lambda space: space.direction,
    "units": lambda space: space.units,
    "curves": lambda space: space.shapes,
}
"""The three spaces: what was trained, the parameters, and the responses without their mean."""
ITERATIONS = 5000


def pair_rows(space: EqSpace) -> tuple[Int[torch.Tensor, " row"], Bool[np.ndarray, " row"]]:
    """Return the settings that have exactly one of the first two descriptors, and which."""
    first, second = space.having(0), space.having(1)
    rows = (first != second).nonzero()[:, 0]
    return rows, second[rows].numpy()


def single_rows(space: EqSpace) -> tuple[Int[torch.Tensor, " row"], Int[np.ndarray, " row"]]:
    """Return the settings that have exactly one descriptor, and which."""
    rows = (space.labels.sum(dim=1) == 1).nonzero()[:, 0]
    return rows, space.labels[rows].int().argmax(dim=1).numpy()


def word_group(config: RunConfig, data: EqData, train: EqSpace, test: EqSpace) -> Group:
    """Return how well held-out people's descriptors are told apart from each space."""
    first, second = data.descriptors[:2]
    settings = config.evaluation
    known, answer = pair_rows(train)
    asked, truth = pair_rows(test)
    people = data.test.people[asked.numpy()]
    found = {
        name: balanced_accuracy(
            _logistic(view(train)[known].numpy(), answer, view(test)[asked].numpy()).astype(bool),
            truth,
            people,
            resamples=settings.bootstrap,
            seed=config.seed,
        )
        for name, view in VIEWS.items()
    }
    latent, values = found["latent"], {name: one.value for name, one in found.items()}
    pair = headline(
        "pair.balanced_accuracy",
        f"{first} or {second}, logistic regression on the latent, balanced accuracy",
        latent.value,
        {"chance": 0.5, **_others(values)},
        low=latent.low,
        high=latent.high,
        unit="share",
        better="higher",
    )
    note = (
        f"{len(truth)} settings by {len(set(people.tolist()))} people who made none of the "
        f"{len(answer)} training settings of the pair; intervals over people"
    )
    return Group(title="Words", note=note, scores=[pair, _all_words(data, train, test)])


def _all_words(data: EqData, train: EqSpace, test: EqSpace) -> Score:
    """Return the balanced accuracy over all descriptors, by logistic regression on each space."""
    known, answer = single_rows(train)
    asked, truth = single_rows(test)
    found = {
        name: _mean_recall(
            _logistic(view(train)[known].numpy(), answer, view(test)[asked].numpy()), truth
        )
        for name, view in VIEWS.items()
    }
    return headline(
        "descriptors.mean_recall",
        f"which of {len(data.descriptors)}, logistic regression on the latent, mean recall",
        found["latent"],
        {"chance": 1 / len(data.descriptors), **_others(found)},
        unit="share",
        better="higher",
    )


def _others(found: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return what logistic regression reaches on the spaces that need no training."""
    return {f"logistic_regression_on_{name}": found[name] for name in ("units", "curves")}


def cluster_group(data: EqData, test: EqSpace) -> Group:
    """Return how far apart the descriptors of held-out settings lie in each space."""
    first, second = data.descriptors[:2]
    groups = {
        "pair": (f"{first} and {second}", pair_rows(test)),
        "descriptors": ("all descriptors", single_rows(test)),
    }
    scores = []
    for name, (title, (chosen, label)) in groups.items():
        found = {
            space: separation(view(test)[chosen].numpy(), label.astype(np.int64))
            for space, view in VIEWS.items()
        }
        latent, units, curves = (found[space] for space in VIEWS)
        if latent is None or units is None or curves is None:
            continue
        scores += [
            headline(
                f"{name}.silhouette",
                f"silhouette of {title} in the latent",
                latent.silhouette,
                {
                    "shuffled_labels": latent.shuffled_silhouette,
                    "in_units": units.silhouette,
                    "in_curves": curves.silhouette,
                },
                better="higher",
            ),
            headline(
                f"{name}.davies_bouldin",
                f"Davies-Bouldin of {title} in the latent",
                latent.davies_bouldin,
                {
                    "shuffled_labels": latent.shuffled_davies_bouldin,
                    "in_units": units.davies_bouldin,
                    "in_curves": curves.davies_bouldin,
                },
                better="lower",
            ),
        ]
    return Group(
        title="Clusters",
        note=f"{len(test.units)} held-out settings; curves without their mean",
        scores=scores,
    )


def _logistic(
    known: Float[np.ndarray, "known dim"],
    answer: Shaped[np.ndarray, " known"],
    asked: Float[np.ndarray, "asked dim"],
) -> Shaped[np.ndarray, " asked"]:
    """Return what logistic regression on the known rows says of the others."""
    # here, because they take a second
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        StandardScaler(), LogisticRegression(max_iter=ITERATIONS, class_weight="balanced")
    )
    return np.asarray(model.fit(known.astype(np.float64), answer).predict(asked.astype(np.float64)))


def _mean_recall(
    predicted: Int[np.ndarray, " setting"], truth: Int[np.ndarray, " setting"]
) -> float:
    """Return the mean, over the descriptors that occur, of the share that was found."""
    return float(np.mean([(predicted[truth == word] == word).mean() for word in np.unique(truth)]))
