"""What a config describes is tried before any data is read; what does not fit names its key."""

from pathlib import Path

import pytest

from benchmarks.fuzz_configs import draw_config, planted_data, try_config
from benchmarks.planted import plant_settings, plant_studies
from cinelex.config.load import load_config
from cinelex.core.errors import UserError
from cinelex.projects import rehearse
from tests.tiny_run import CLIPSE, LATENT, MULTITASK, TINY

SAMPLE = range(0, 2100, 137)

REFUSED = {
    "timm cannot drop tokens": (
        ["model.video_encoder={name: timm, options: {backbone: resnet10t}}"],
        r"loss_weights\.masked_modeling: timm cannot drop tokens",
    ),
    "weights that timm has not": (
        [
            "model.video_encoder={name: timm, options: {backbone: resnet18.foo}}",
            "loss_weights.masked_modeling=0",
        ],
        r"model\.video_encoder: timm has no weights 'resnet18\.foo'; there are resnet18\.",
    ),
    "views that nothing reads": (
        ["loss_weights.views=0.1"],
        r"loss_weights\.views: nothing here reads the view .*aggregator\.name=view_attention",
    ),
    "views that are told": (
        [
            "loss_weights.views=0.1",
            "model.aggregator={name: view_attention}",
            "model.views.count=9",
        ],
        r"loss_weights\.views: clips that are told their view .* model\.views\.count=0",
    ),
    "nothing left to mask": (["model.mask_ratio=0.001"], r"model\.mask_ratio: "),
    "heads": (["model.text_encoder.options={depth: 1, heads: 5}"], r"model\.text_encoder: "),
    "depth": (["model.text_encoder.options={depth: 100000}"], r"'depth': expected at most 1000"),
    "micro-batches": (
        ["batch=4", "gradient_accumulation_steps=5"],
        r"gradient_accumulation_steps: 4 studies over 1 processes leave 4 to some",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_by_its_key(case: str) -> None:
    overrides, message = REFUSED[case]
    above = tuple(item.partition("=")[0] for item in overrides)
    tiny = [item for item in TINY["multitask"] if not item.startswith(above)]
    with pytest.raises(UserError, match=message):
        rehearse(load_config(MULTITASK, ["steps=4", "optimizer.warmup_steps=1", *tiny, *overrides]))


@pytest.mark.parametrize("config", [MULTITASK, LATENT, CLIPSE])
def test_what_is_shipped_fits(config: Path) -> None:
    loaded = load_config(config)
    rehearse(load_config(config, TINY[loaded.project]))


@pytest.mark.slow
def test_any_value_of_any_key_is_refused_in_one_line_or_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "below"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)  # where paths without a root lead
    plant_studies(tmp_path)
    plant_settings(tmp_path, rows=300, people=30)
    for number in SAMPLE:
        config, changes = draw_config(number)
        ended = try_config(config, changes, folder, planted_data(number, config, tmp_path))
        assert ended == "run" or ended.startswith("refused"), (changes, ended)
