"""The reconstruction loss is a mean over pixels; its chance is the variance of each."""

import torch

from cinelex.losses.reconstruction import Reconstruction


def test_it_is_the_mean_of_squares_over_all_pixels() -> None:
    pixels = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    rebuilt = torch.tensor([[1.0, 0.0], [3.0, 1.0]])
    torch.testing.assert_close(Reconstruction()(rebuilt, pixels), torch.tensor(13 / 4))


def test_predicting_the_mean_costs_the_variance() -> None:
    pixels = torch.randn(6, 1, 2, 4, 4, generator=torch.Generator().manual_seed(0)).double()
    loss = Reconstruction()(pixels.mean(0).expand_as(pixels), pixels)
    torch.testing.assert_close(loss, pixels.var(dim=0, correction=0).mean())


def test_half_precision_is_summed_in_float32() -> None:
    pixels = torch.full((4, 4096), 3.0)
    loss = Reconstruction()((pixels + 0.125).bfloat16(), pixels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, torch.tensor(0.125**2))
