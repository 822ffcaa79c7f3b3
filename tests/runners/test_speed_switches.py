"""Whatever saves memory or time changes no number beyond rounding."""

from pathlib import Path

import pytest
import torch
from torch import nn

from cinelex.runners.ema import Ema
from cinelex.runners.parallel import blocks
from tests.runners.line_project import line_config, trainer
from tests.runners.shared_project import Blocks, SharedProject


# the compiler looks at every attribute of every tensor, also at those that warn
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize(
    ("switch", "tolerance"),
    [
        # the same operations in the same order: equal to the bit
        ("activation_checkpointing=true", 0.0),
        # traced and differentiated ahead of time, which may reorder sums
        pytest.param("compile=aot_eager", 1e-6, marks=pytest.mark.slow),
    ],
)
def test_a_switch_ends_where_the_plain_loop_ends(
    tmp_path: Path, switch: str, tolerance: float
) -> None:
    plain = trainer(tmp_path / "plain", SharedProject())
    other = trainer(tmp_path / "other", SharedProject(), line_config(switch))
    assert plain.run()
    assert other.run()
    torch.testing.assert_close(
        other.module.state_dict(), plain.module.state_dict(), rtol=tolerance, atol=tolerance
    )


def test_half_precision_stays_within_its_rounding(tmp_path: Path) -> None:
    plain = trainer(tmp_path / "plain", SharedProject())
    half = trainer(tmp_path / "half", SharedProject(), line_config("precision=bf16"))
    assert plain.run()
    assert half.run()
    moved = SharedProject().model().state_dict()
    for name, value in plain.module.state_dict().items():
        way = (value - moved[name]).norm()
        # bfloat16 keeps 8 bits; Adam divides the gradient by its size, so that signs matter most
        assert (half.module.state_dict()[name] - value).norm() <= 0.2 * way, name


def test_the_blocks_of_a_model_are_the_members_of_its_lists() -> None:
    model = nn.ModuleDict({"a": Blocks(), "b": nn.Sequential(Blocks())})
    assert len(list(blocks(model))) == 4
    assert all(isinstance(block, nn.Sequential) for block in blocks(model))


def test_an_average_is_the_closed_form_and_leaves_out_skipped_steps() -> None:
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(0.0)
    ema = Ema(model, decay=0.9)
    taken, left_out = torch.tensor(0.0), torch.tensor(1.0)
    for _ in range(3):
        with torch.no_grad():
            model.weight.fill_(1.0)
        ema.update(taken)
        ema.update(left_out)
    # from 0 towards a constant 1: 1 - 0.9^3
    assert ema.state()["weight"].item() == pytest.approx(1 - 0.9**3)
    other = Ema(nn.Linear(1, 1, bias=False), decay=0.9)
    other.restore(ema.state())
    assert torch.equal(other.state()["weight"], ema.state()["weight"])


def test_a_run_with_an_average_goes_on_with_it(tmp_path: Path) -> None:
    config = line_config("ema_decay=0.5", "keep_best=-weight")
    whole = trainer(tmp_path / "whole", SharedProject(), config)
    assert whole.run()

    class Stop(Exception):  # noqa: N818
        """Ends a run without a goodbye."""

    def break_off(step: int) -> None:
        if step == 7:
            raise Stop

    with pytest.raises(Stop):
        trainer(tmp_path / "broken", SharedProject(at_step=break_off), config).run()
    again = trainer(tmp_path / "broken", SharedProject(), config)
    assert again.step == 6
    assert again.run()
    assert whole.ema is not None
    assert again.ema is not None
    torch.testing.assert_close(again.ema.state(), whole.ema.state(), rtol=0, atol=0)
    assert (again.books.best, again.books.best_step) == (whole.books.best, whole.books.best_step)
