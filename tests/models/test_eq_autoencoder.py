"""Whatever the latent, every parameter stays inside; each head writes its own places."""

import pytest
import torch

from cinelex.models.eq_autoencoder import EqAutoencoder

GROUPS = ((0, 2, 5), (1, 3), (4,))


def model() -> EqAutoencoder:
    torch.manual_seed(0)
    return EqAutoencoder(groups=GROUPS, points=8, dim=3, width=16, depth=2)


@pytest.mark.parametrize("spread", [1.0, 1e3, 1e8])
def test_no_latent_writes_outside_the_unit_interval(spread: float) -> None:
    written = model().decode(spread * torch.randn(200, 3))
    assert bool(((written >= 0) & (written <= 1)).all())


def test_each_head_writes_the_places_of_its_group() -> None:
    net, latent = model(), torch.randn(4, 3)
    before = net.decode(latent)
    for head, group in zip(net.heads, GROUPS, strict=True):
        assert isinstance(head, torch.nn.Linear)
        with torch.no_grad():
            head.bias.add_(1.0)
        after = net.decode(latent)
        changed = (before != after).all(dim=0).nonzero()[:, 0].tolist()
        assert changed == sorted(group)
        before = after


def test_the_latent_sees_units_and_response_and_its_direction_has_length_one() -> None:
    net = model()
    units, response = torch.rand(5, 6), torch.randn(5, 8)
    out = net(units, response)
    assert out.latent.shape == (5, 3)
    torch.testing.assert_close(out.direction.norm(dim=1), torch.ones(5))
    assert not torch.equal(net.encode(units, response + 1), out.latent)
    assert not torch.equal(net.encode(1 - units, response), out.latent)


def test_groups_that_miss_a_parameter_are_refused() -> None:
    with pytest.raises(ValueError, match="each parameter once"):
        EqAutoencoder(groups=((0, 2),), points=8, dim=3, width=16, depth=1)
