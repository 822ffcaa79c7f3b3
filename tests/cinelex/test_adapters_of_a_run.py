"""A run with adapters on a pretrained tower: what it keeps, and that merging changes nothing."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import cinelex
from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.files import read_json
from cinelex.core.weights import load_weights
from cinelex.data.text.saved import load_tokenizer
from cinelex.models.adapters import merge_adapters
from cinelex.models.study_model import StudyModel
from cinelex.models.trunks import ADAPTER
from cinelex.projects.interface.towers import kept_towers
from cinelex.projects.studies.parts import build_video_text
from cinelex.scripts.main import main
from tests.tiny_run import CONFIGS, DATA, RUN, rows


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, study_cache: Path) -> Path:
    """Train four steps: adapters, and the line on what they make, solved at each validation."""
    folder = tmp_path_factory.mktemp("adapters")
    torch.manual_seed(0)
    backbone = timm.create_model("test_byobnet", pretrained=False)
    save_file(backbone.state_dict(), folder / "backbone.safetensors")
    options = f"{{backbone: test_byobnet, pretrained: {folder / 'backbone.safetensors'}, depth: 0}}"
    command = ["--base_config", str(CONFIGS / "small_data.yaml"), f"folder={folder}", "name=run"]
    command += [
        item
        for item in (*DATA, *RUN)
        if not item.startswith(("steps", "validate_every", "checkpoint_every"))
    ]
    command += [
        *("steps=4", "validate_every=2", "checkpoint_every=4", "checkpoint_frozen=false"),
        *("model.width=16", "model.dim=16", "model.video_lora={rank: 2}", "data.channels=3"),
        f"model.video_encoder={{name: timm, options: {options}}}",
        *(
            "model.closed_form.inputs=features",
            "model.closed_form.share=validated",
            "keep_best=retrieval/mrr",
            "evaluation.checkpoint=newest",
        ),
        f"data.cache={study_cache}",
    ]
    assert main(command) == 0
    return folder / "run"


@pytest.mark.slow
def test_a_run_loaded_with_its_adapters_merged_answers_as_it_did_unmerged(run: Path) -> None:
    config, tokenizer = load_config(run / "config.yaml"), load_tokenizer(run / "tokenizer")
    unmerged: StudyModel = build_video_text(config, tokenizer, kept_towers(run))
    newest = checkpoint.newest(run / "checkpoints")
    assert newest is not None
    load_weights(newest, unmerged)
    unmerged.eval()
    merged = cinelex.load(run).model
    assert merge_adapters(merged) == 0, "nothing is left to merge"
    clips = torch.randn(3, 3, config.data.frames, 32, 32)
    owner = torch.tensor([0, 0, 1])
    with torch.no_grad():
        expected = unmerged.encode_study(clips, owner, studies=2).study
        found = merged.encode_study(clips, owner, studies=2).study
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    with torch.no_grad():
        for name, value in unmerged.named_parameters():
            if ADAPTER in name:
                value.zero_()
        without = unmerged.encode_study(clips, owner, studies=2).study
    assert (without - expected).abs().max() > 1e-5, "adapters have learned something"


@pytest.mark.slow
def test_a_checkpoint_holds_adapters_and_heads_where_that_is_asked(run: Path) -> None:
    step = run / "checkpoints" / "step-4"
    names = load_file(step / "model.safetensors").keys()
    assert not (step / "frozen.safetensors").exists()
    tower = [name for name in names if name.startswith("video_encoder.backbone.")]
    assert tower
    assert all(ADAPTER in name for name in tower)
    assert any(name.startswith("study_head.") for name in names)


@pytest.mark.slow
def test_the_line_on_features_that_train_is_never_outvoted(run: Path) -> None:
    validated = [row for row in rows(run) if row["kind"] == "validation"]
    assert [row["step"] for row in validated] == [0, 2, 4]
    assert all(row["retrieval/mrr"] >= row["retrieval/mrr/closed_form"] for row in validated)
    found = read_json(run / "results.json")["retrieval"]["study_to_report"]["recall_at_10"]
    assert "ridge_features" in found["baselines"]
