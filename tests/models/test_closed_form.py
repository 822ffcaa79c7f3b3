"""A solved map beside a trained tower: what it is shown, and when it has its say."""

import numpy as np
import torch
import torch.nn.functional as F

from cinelex.metrics.ridge import ridge_map, ridge_predictions
from cinelex.models.closed_form import ClosedForm, pixel_count, pixel_rows

DRAW = np.random.default_rng(0)


def test_a_map_gives_the_predictions_of_the_dual() -> None:
    inputs, targets = DRAW.normal(size=(30, 50)) + 2, DRAW.normal(size=(30, 4))
    queries, groups = DRAW.normal(size=(9, 50)) + 2, np.arange(30)
    matrix, added, _ = ridge_map(inputs, targets, groups=groups)
    expected = ridge_predictions(inputs, targets, queries, groups=groups)
    np.testing.assert_allclose(queries @ matrix + added, expected, rtol=1e-8, atol=1e-10)


def test_the_sum_is_that_of_unit_rows() -> None:
    form = ClosedForm(dim=2, share=0.25, clips=1, pixels=3)
    form.set(torch.tensor([[2.0, 0], [0, 1], [0, 0]]), torch.tensor([0.0, 3.0]))
    own, inputs = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 0.0, 5.0]])
    expected = F.normalize(0.75 * own + 0.25 * F.normalize(torch.tensor([[4.0, 3.0]])))
    torch.testing.assert_close(form(own, inputs), expected)


def test_an_unsolved_form_is_silent() -> None:
    form = ClosedForm(dim=2, share=0.5, clips=1, pixels=3)
    own = F.normalize(torch.randn(4, 2))
    assert not form.solved
    torch.testing.assert_close(form(own, torch.randn(4, 3)), own)


def test_pixels_are_as_many_as_were_counted() -> None:
    for size, frames, channels, count in ((64, 8, 3, 4), (24, 2, 1, 1), (128, 1, 3, 2)):
        clips = torch.zeros(3, channels, frames, size, size)
        owner = torch.tensor([0, 0, 1])
        rows = pixel_rows(clips, owner, studies=2, count=count)
        numbers = pixel_count(channels=channels, frames=frames, size=size, count=count)
        assert rows.shape == (2, numbers)


def test_features_of_a_study_are_the_mean_over_its_clips_and_their_tokens() -> None:
    form = ClosedForm(dim=2, share=0.5, trunk=2)
    features = torch.tensor([[[1.0, 2], [3, 4]], [[5, 6], [7, 8]], [[0, 0], [1, 1]]])
    rows = form.inputs_of(
        torch.zeros(3, 1, 1, 2, 2), torch.tensor([0, 0, 1]), features, studies=2, max_clips=2
    )
    torch.testing.assert_close(rows, torch.tensor([[4.0, 5.0], [0.5, 0.5]]))


def test_features_and_pixels_stand_beside_each_other_with_the_same_variance() -> None:
    form = ClosedForm(dim=2, share=0.5, trunk=2, clips=1, pixels=4)
    clips, features = torch.rand(5, 1, 1, 2, 2), torch.rand(5, 1, 2)
    owner = torch.arange(5)
    rows = form.inputs_of(clips, owner, features, studies=5, max_clips=1)
    pixels = pixel_rows(clips, owner, studies=5, count=1)
    torch.testing.assert_close(rows, torch.cat([features[:, 0], pixels], dim=1))
    scaled = rows.numpy() / form.scale_of(rows.numpy())
    np.testing.assert_allclose(scaled[:, :2].var(axis=0).sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(scaled[:, 2:].var(axis=0).sum(), 1, rtol=1e-5)


def test_one_kind_of_input_is_solved_on_as_it_is() -> None:
    rows = DRAW.normal(size=(5, 4))
    assert (ClosedForm(dim=2, share=0.5, trunk=4).scale_of(rows) == 1).all()
    assert (ClosedForm(dim=2, share=0.5, clips=1, pixels=4).scale_of(rows) == 1).all()
