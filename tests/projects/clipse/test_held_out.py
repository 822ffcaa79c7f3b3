"""The loss on held-out images, from rows that are encoded anyway."""

import math

import pytest
import torch
import torch.nn.functional as F

from cinelex.projects.clipse.results import EncodedImages, held_out_loss


def test_it_is_the_mean_over_whole_batches_with_first_captions() -> None:
    random = torch.Generator().manual_seed(0)
    image = F.normalize(torch.randn(5, 4, generator=random), dim=1)
    caption = F.normalize(torch.randn(8, 4, generator=random), dim=1)
    owner = torch.tensor([0, 0, 1, 2, 2, 3, 3, 4])
    found, chance = held_out_loss(EncodedImages(image, caption, owner), temperature=0.5, batch=2)
    expected = []
    for images, captions in (([0, 1], [0, 2]), ([2, 3], [3, 5])):  # the fifth fills no batch
        logits = image[images] @ caption[captions].T / 0.5
        own = torch.arange(2)
        expected += [F.cross_entropy(logits, own), F.cross_entropy(logits.T, own)]
    assert found == pytest.approx(float(torch.stack(expected).mean()))
    assert chance == pytest.approx(math.log(2))
