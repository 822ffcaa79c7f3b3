"""A step without a finite gradient is kept, and made again to the bit."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cinelex.core.errors import UserError
from cinelex.core.files import hash_json, read_json, write_json
from cinelex.runners.nonfinite import read_bundle
from cinelex.runners.repeat import repeat
from tests.runners.line_project import LineProject, Points, line_config, trainer

CPU = torch.device("cpu")


class Named(LineProject):
    """Points with ids."""

    def identities(self, batch: Points) -> Sequence[str]:
        return [f"point {row}" for row in range(len(batch.x))]


def broken(folder: Path, *steps: int, last: int = 8) -> Named:
    """Train over batches of which some hold a point that is no number, steps from 0."""
    project = Named(spoiled=frozenset(steps))
    config = line_config(f"steps={last}", "log_every=2", "keep_checkpoints=1")
    assert trainer(folder, project, config).run()
    return project


@pytest.mark.parametrize(("spoiled", "begins"), [(1, 0), (4, 3)])
def test_the_first_lost_step_is_made_again_with_what_was_kept(
    tmp_path: Path, spoiled: int, begins: int
) -> None:
    project = broken(tmp_path, spoiled, 6)
    bundle = read_bundle(tmp_path)
    assert (bundle.lost.step, bundle.begins) == (spoiled + 1, begins)
    said = "\n".join(repeat(project, line_config(), bundle, CPU))
    assert "equal to the record to the last bit" in said
    assert "terms that are not finite: loss/contrastive" in said
    assert "gradients that are not finite: weight, bias of 2" in said
    assert f"1 of 4, by the hashes of their ids {hash_json('point 0')[:16]}" in said
    straight = trainer(tmp_path / "other", project)
    straight.books.close()
    for batch, _ in zip(project.batches(0), range(spoiled), strict=False):
        straight.update(batch)
    kept = load_file(bundle.path / "weights.safetensors")
    assert all(torch.equal(kept[name], own) for name, own in straight.module.state_dict().items())


def test_a_step_that_is_finite_this_time_is_blamed_on_the_machine(tmp_path: Path) -> None:
    broken(tmp_path, 2)
    said = repeat(Named(), line_config(), read_bundle(tmp_path), CPU)
    assert any("look at the machine" in line for line in said)


def test_another_step_than_that_of_the_record_is_told_apart(tmp_path: Path) -> None:
    project = broken(tmp_path, 2)
    path = read_bundle(tmp_path).path / "bundle.json"
    content = read_json(path)
    write_json(path, {**content, "numbers": {**content["numbers"], "chance/contrastive": 2.0}})
    said = repeat(project, line_config(), read_bundle(tmp_path), CPU)
    assert "other numbers than in the record: chance/contrastive" in said[1]


def test_a_run_whose_gradients_were_finite_has_nothing_to_repeat(tmp_path: Path) -> None:
    broken(tmp_path)
    with pytest.raises(UserError, match="all its gradients were finite"):
        read_bundle(tmp_path)
