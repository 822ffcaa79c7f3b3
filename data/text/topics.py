"""Which texts speak of the same things: clusters of TF-IDF vectors."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from cinelex.core.randomness import keyed_seed
from cinelex.core.scripts import UNSPACED_LETTERS


def topics(texts: Sequence[str], *, count: int, seed: int) -> Int64[np.ndarray, " text"]:
    """Return the topic of each text, from 0 to below ``count``.

    Args:
        texts: For instance all captions of an image in one.
        count: Topics; at most as many as there are texts.
        seed: The same texts and seed give the same topics.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer  # here, because it takes a second

    # its own pattern, and each letter of a script that puts no blanks between words
    pattern = rf"(?u)[{UNSPACED_LETTERS}]|\b\w\w+\b"
    vectors = TfidfVectorizer(sublinear_tf=True, token_pattern=pattern).fit_transform(list(texts))
    return clusters(vectors, count=count, seed=seed)


def clusters(rows: object, *, count: int, seed: int) -> Int64[np.ndarray, " row"]:
    """Return the cluster of each row of features, dense or sparse, by k-means."""
    from sklearn.cluster import MiniBatchKMeans  # here, because it takes a second

    state = keyed_seed(seed, "topics") % 2**32
    means = MiniBatchKMeans(n_clusters=count, random_state=state, n_init=3, batch_size=2048)
    return np.asarray(means.fit_predict(rows), np.int64)
