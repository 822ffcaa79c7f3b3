"""A tower of TF-IDF: rows of scikit-learn, centred and turned, and tokens that mean one term."""

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from cinelex.models.tfidf_text import TfidfText

TEXTS = [[1, 3, 4, 4, 2], [1, 3, 5, 2], [1, 6, 7, 7, 7, 2], [1, 3, 4, 8, 2]]


def rows_of(tower: TfidfText, texts: list[list[int]]) -> np.ndarray:
    token_ids = torch.zeros(len(texts), 6, dtype=torch.int64)
    for row, text in enumerate(texts):
        token_ids[row, : len(text)] = torch.tensor(text)
    present = token_ids != 0
    return tower.pool(tower(token_ids, present), present).detach().numpy()


def theirs(texts: list[list[str]]) -> np.ndarray:
    table = TfidfVectorizer(sublinear_tf=True, analyzer=lambda text: text).fit_transform(texts)
    return table.toarray() - table.toarray().mean(0)


def test_products_of_rows_equal_those_of_scikit_learn() -> None:
    tower = TfidfText(width=8, vocab=10)
    tower.fit(TEXTS, np.arange(10))
    found = rows_of(tower, TEXTS)
    expected = theirs([[str(token) for token in text if token > 2] for text in TEXTS])
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


def test_tokens_of_one_term_are_counted_together() -> None:
    tower = TfidfText(width=8, vocab=10)
    terms = np.arange(10)
    terms[4] = 3  # "word" with a space before it, and without
    tower.fit(TEXTS, terms)
    found = rows_of(tower, TEXTS)
    names = [[str(terms[token]) for token in text if token > 2] for text in TEXTS]
    expected = theirs(names)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


def test_fewer_directions_keep_those_in_which_reports_differ_most() -> None:
    random = np.random.default_rng(0)
    texts = [random.integers(3, 40, 12).tolist() for _ in range(30)]
    wide, narrow = TfidfText(width=40, vocab=40), TfidfText(width=6, vocab=40)
    for tower in (wide, narrow):
        tower.fit(texts, np.arange(40))
    full = wide.directions.numpy()[:, :6] ** 2
    np.testing.assert_allclose(full, narrow.directions.numpy() ** 2, atol=0.02)


def test_what_was_fitted_is_kept_with_the_weights() -> None:
    tower, other = TfidfText(width=8, vocab=10), TfidfText(width=8, vocab=10)
    tower.fit(TEXTS, np.arange(10))
    other.load_state_dict(tower.state_dict())
    assert np.array_equal(rows_of(tower, TEXTS), rows_of(other, TEXTS))


def test_nothing_learns_unless_it_is_told_to() -> None:
    assert list(TfidfText(width=8, vocab=10).parameters()) == []
    assert all(p.requires_grad for p in TfidfText(width=8, vocab=10, trained=True).parameters())
