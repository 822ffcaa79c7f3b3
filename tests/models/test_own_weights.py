"""Own towers that begin with the weights of one like them, and say what arrived."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.data.text.saved import load_tokenizer
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.video_vit import VideoViT
from cinelex.projects.interface.towers import tower_lines
from cinelex.projects.studies.parts import build_video_text
from tests.tiny_run import FinishedRun


def vit(**options: Any) -> VideoViT:
    sizes: dict[str, Any] = {"width": 12, "frames": 2, "size": 16, "channels": 1, "depth": 1}
    sizes |= {"heads": 2, "tubelet": (2, 8, 8), "positions": "learned"}
    return VideoViT(**{**sizes, **options})


def saved(tower: torch.nn.Module, path: Path, prefix: str) -> str:
    tensors = {f"{prefix}{name}": value for name, value in tower.state_dict().items()}
    save_file({**tensors, "temperature.log_temperature": torch.zeros(1)}, path)
    return str(path)


@pytest.mark.parametrize("prefix", ["video_encoder.", ""])
def test_a_tower_of_a_model_or_alone_arrives_whole(tmp_path: Path, prefix: str) -> None:
    known = vit()
    path = saved(known, tmp_path / "model.safetensors", prefix)
    tower = vit(pretrained=path)
    clips = torch.rand(2, 1, 2, 16, 16)
    torch.testing.assert_close(tower(clips), known(clips), rtol=0, atol=0)
    assert tower.arrival is not None
    assert {here for _, here in tower.arrival.pairs} == set(known.state_dict())
    lines = tower_lines(tower)
    assert any("tensors arrived" in line for line in lines)
    assert ("not used" in " ".join(lines)) == (not prefix)


def test_positions_of_another_grid_are_interpolated_and_said(tmp_path: Path) -> None:
    known = vit()
    with torch.no_grad():
        known.positions.get_axis("row").copy_(torch.arange(2.0)[:, None].expand(2, 12))
    path = saved(known, tmp_path / "model.safetensors", "video_encoder.")
    tower = vit(size=32, pretrained=path)
    # two steps to four: centres at -1/4, 1/4, 3/4 and 5/4, held at the ends
    rows = tower.positions.get_axis("row")[:, 0]
    torch.testing.assert_close(rows, torch.tensor([0.0, 0.25, 0.75, 1.0]))
    assert tower.arrival is not None
    assert tower.arrival.interpolated["positions.row"] == "from 2 to 4 steps"


def test_a_tower_that_is_not_whole_there_is_refused(tmp_path: Path) -> None:
    path = saved(vit(), tmp_path / "model.safetensors", "video_encoder.")
    with pytest.raises(UserError, match=r"blocks\.1"):
        vit(depth=2, pretrained=path)


def test_what_a_run_kept_is_not_read_again(tmp_path: Path) -> None:
    tower = vit(pretrained=str(tmp_path / "gone.safetensors"), kept={})
    assert tower.arrival is None
    assert tower.kept == {}


def test_a_folder_without_a_checkpoint_and_a_file_of_no_tensors_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no checkpoint"):
        vit(pretrained=str(tmp_path))
    (tmp_path / "words.safetensors").write_text("none")
    with pytest.raises(UserError, match="not a safetensors file"):
        vit(pretrained=str(tmp_path / "words.safetensors"))


def test_a_text_tower_arrives_as_well(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {"width": 8, "vocab": 11, "max_tokens": 6, "depth": 1, "heads": 2}
    known = TextTransformer(**sizes)
    path = saved(known, tmp_path / "model.safetensors", "text_encoder.")
    tower = TextTransformer(**sizes, pretrained=path)
    ids, mask = torch.tensor([[3, 4, 5]]), torch.ones(1, 3, dtype=torch.bool)
    torch.testing.assert_close(tower(ids, mask), known(ids, mask), rtol=0, atol=0)


@pytest.mark.slow
def test_towers_begin_with_those_of_a_run_on_another_grid_and_say_so(
    finished_run: FinishedRun,
) -> None:
    run = finished_run.path
    towers = ("video_encoder", "text_encoder")
    begun = [f"model.{tower}.options.pretrained={run}" for tower in towers]
    config = load_config(run / "config.yaml", [*begun, "data.size=64", "seed=5"])
    model = build_video_text(config, load_tokenizer(run / "tokenizer"))
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    known = checkpoint.read(newest.path, "model")
    for tower in towers:
        weights = model.get_submodule(tower).state_dict()
        own = {name for name in known if name.startswith(f"{tower}.")}
        assert own == {f"{tower}.{name}" for name in weights}
        for name, value in weights.items():
            if not name.startswith("positions.row") and not name.startswith("positions.column"):
                assert torch.equal(value, known[f"{tower}.{name}"]), name
    said = tower_lines(model)
    arrived = [line for line in said if f"tensors arrived from {run}" in line]
    assert [line.split(":")[0] for line in arrived] == ["video encoder", "text encoder"]
    assert "video encoder: interpolated: positions.row, from 4 to 8 steps" in said
    assert sum("fresh layers: none" in line for line in said) == len(towers)
    assert not any("not used of it" in line for line in said)
