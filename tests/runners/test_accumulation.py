"""A batch in parts trains like the batch: also where terms couple samples and dropout is drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from cinelex.runners.accumulation import accumulate
from cinelex.runners.stacking import stack, tensors_of
from tests.runners.line_project import line_config, trainer

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Scored:
    """Rows, one number of the model, and something that no gradient goes to."""

    rows: Tensor
    temperature: Tensor
    target: Tensor | None


class Towers(nn.Module):
    """A map with dropout, and a temperature that all samples share."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.map = nn.Linear(4, 3)
        self.dropout = nn.Dropout(dropout)
        self.temperature = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Scored:
        return Scored(self.dropout(self.map(x)), self.temperature, x.sum(1))


def coupled(out: Scored) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of every row against all rows: no sum over parts gives it."""
    logits = out.rows @ out.rows.T / out.temperature
    loss = nn.functional.cross_entropy(logits, torch.arange(len(logits)).roll(1))
    return loss, {"coupled": loss}


def gradients(model: nn.Module, run: Callable[[], object]) -> dict[str, Tensor]:
    model.zero_grad()
    run()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_parts_give_the_gradients_of_the_whole_also_of_a_shared_number() -> None:
    torch.manual_seed(0)
    model, x = Towers(dropout=0.0), torch.randn(6, 4)
    expected = gradients(model, lambda: coupled(model(x))[0].backward())
    runs = [partial(model, part) for part in x.split([1, 3, 2])]
    found = gradients(model, lambda: accumulate(runs, coupled, model=model, device=CPU))
    torch.testing.assert_close(found, expected)
    assert found.keys() == {"map.weight", "map.bias", "temperature"}
    # the negative control: adding up the losses of the parts is another loss
    apart = gradients(model, lambda: [coupled(run())[0].backward() for run in runs])
    assert not torch.allclose(apart["map.weight"], expected["map.weight"], rtol=0.1)


def test_the_second_run_draws_what_the_first_drew() -> None:
    torch.manual_seed(0)
    model, x = Towers(dropout=0.5), torch.randn(6, 4)
    torch.manual_seed(1)
    whole = torch.cat([model.dropout(model.map(part)) for part in x.split(2)])
    expected = gradients(
        model, lambda: coupled(Scored(whole, model.temperature, None))[0].backward()
    )
    torch.manual_seed(1)
    runs = [partial(model, part) for part in x.split(2)]
    found = gradients(model, lambda: accumulate(runs, coupled, model=model, device=CPU))
    torch.testing.assert_close(found, expected)


def test_who_looks_at_terms_finds_the_gradients_that_the_whole_has() -> None:
    torch.manual_seed(0)
    model, x = Towers(dropout=0.0), torch.randn(6, 4)
    named = dict(model.named_parameters())
    expected = torch.autograd.grad(coupled(model(x))[0], list(named.values()))
    seen = []

    def look(terms: Mapping[str, Tensor]) -> None:
        for _ in range(2):
            seen.append(
                torch.autograd.grad(terms["coupled"], list(named.values()), retain_graph=True)
            )
        assert all(parameter.grad is None for parameter in named.values())

    runs = [partial(model, part) for part in x.split([1, 3, 2])]
    found = gradients(model, lambda: accumulate(runs, coupled, model=model, device=CPU, look=look))
    for each in seen:
        torch.testing.assert_close(each, expected)
    torch.testing.assert_close(list(found.values()), list(expected))


def test_rows_are_stacked_and_shorter_ones_end_in_zeros() -> None:
    first = Scored(torch.ones(2, 1, 2), torch.tensor(0.5), None)
    second = Scored(2 * torch.ones(1, 3, 2), torch.tensor(0.5), None)
    stacked = stack([first, second])
    assert stacked.rows.shape == (3, 3, 2)
    assert stacked.rows.sum((1, 2)).tolist() == [2.0, 2.0, 12.0]
    assert tensors_of(stacked)[1:] == [torch.tensor(0.5), None]


def test_the_loop_in_parts_ends_where_the_plain_loop_ends(tmp_path: Path) -> None:
    plain, parts = (
        trainer(tmp_path / "a"),
        trainer(tmp_path / "b", config=line_config("gradient_accumulation_steps=3")),
    )
    assert plain.run()
    assert parts.run()
    torch.testing.assert_close(parts.module.state_dict(), plain.module.state_dict())
