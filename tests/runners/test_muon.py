"""Muon on what is a matrix to its input."""

import torch
from torch import nn

from cinelex.runners.muon import Muon, orthogonal
from tests.waits import Waits


def moved(weight: nn.Parameter, gradients: list[torch.Tensor]) -> torch.Tensor:
    optimizer = Muon([{"params": [weight], "weight_decay": 0.1}], lr=0.01)
    for gradient in gradients:
        weight.grad = gradient
        optimizer.step()
    return weight.detach()


def test_a_linear_layer_moves_as_by_the_library_up_to_its_half_precision() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(6, 20), [torch.randn(6, 20) for _ in range(3)]
    theirs = nn.Parameter(start.clone())
    library = torch.optim.Muon(
        [theirs], lr=0.01, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    for gradient in gradients:
        theirs.grad = gradient.clone()
        library.step()
    ours = moved(nn.Parameter(start.clone()), gradients)
    torch.testing.assert_close(ours - start, theirs.detach() - start, rtol=0.05, atol=1e-3)


def test_a_convolution_moves_as_the_matrix_of_all_that_an_output_reads() -> None:
    torch.manual_seed(0)
    start, gradients = torch.randn(6, 3, 2, 2), [torch.randn(6, 3, 2, 2) for _ in range(2)]
    kernel = moved(nn.Parameter(start.clone()), gradients)
    matrix = moved(nn.Parameter(start.flatten(1).clone()), [g.flatten(1) for g in gradients])
    torch.testing.assert_close(kernel.flatten(1), matrix)


def test_a_step_that_is_left_out_changes_nothing_and_waits_for_nothing() -> None:
    weight = nn.Parameter(torch.ones(3, 4))
    optimizer = Muon([{"params": [weight], "weight_decay": 0.1}], lr=0.01)
    weight.grad = torch.arange(12.0).view(3, 4)
    optimizer.found_inf = torch.tensor(0.0)
    optimizer.step()
    before, momentum = weight.detach().clone(), optimizer.state[weight]["momentum"].clone()
    weight.grad = torch.full((3, 4), torch.nan)
    optimizer.found_inf = torch.tensor(1.0)
    with Waits() as waits:
        optimizer.step()
    assert not waits.found
    torch.testing.assert_close(weight.detach(), before, rtol=0, atol=0)
    torch.testing.assert_close(optimizer.state[weight]["momentum"], momentum, rtol=0, atol=0)


def test_singular_values_come_near_one_whichever_side_is_longer() -> None:
    torch.manual_seed(0)
    for rows, columns in ((5, 30), (30, 5)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(rows, columns)))
        assert 0.6 < float(values.min()) <= float(values.max()) < 1.3
