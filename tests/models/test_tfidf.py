"""The teacher of words equals scikit-learn's TF-IDF, without the marks that stand everywhere."""

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from cinelex.models.tfidf import TfidfRows

TEXTS = [[1, 3, 4, 4, 2], [1, 3, 5, 2], [1, 6, 7, 7, 7, 2], [1, 3, 4, 8, 2]]


def test_rows_equal_those_of_scikit_learn() -> None:
    teacher = TfidfRows(TEXTS, vocab=10)
    token_ids = torch.zeros(4, 6, dtype=torch.int64)
    for row, text in enumerate(TEXTS):
        token_ids[row, : len(text)] = torch.tensor(text)
    found = teacher(token_ids, token_ids != 0).numpy()
    theirs = TfidfVectorizer(sublinear_tf=True, analyzer=lambda text: [w for w in text if w > 2])
    expected = np.zeros((4, 10))
    table = theirs.fit_transform(TEXTS).toarray()
    expected[:, sorted(theirs.vocabulary_)] = table[:, [theirs.vocabulary_[w] for w in range(3, 9)]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_caption_of_marks_alone_is_like_nothing() -> None:
    token_ids = torch.tensor([[1, 2]])
    assert TfidfRows(TEXTS, vocab=10)(token_ids, token_ids != 0).abs().sum() == 0
