"""The recipes for small sets, whole: trained, solved, evaluated, and solved alone."""

from pathlib import Path

import pytest
from safetensors.torch import load_file
from transformers import BertConfig, BertModel

from cinelex.core.files import read_json
from cinelex.scripts.main import main
from tests.tiny_run import DATA, RUN, STUDIES

CONFIG = Path(__file__).parents[2] / "config"
TINY = (
    *(item for item in RUN if not item.startswith(("steps=", "checkpoint_every="))),
    *("model.width=16", "model.dim=16", "model.video_encoder.options.base=8", "data.size=32"),
)
OWN = {
    "clip": DATA,
    "clipse": (
        *("clipse.format=flickr8k", "clipse.synthetic.stock_scenes=2"),
        *(f"clipse.synthetic.{split}={count}" for split, count in STUDIES.items()),
    ),
}
DIRECTIONS = {"clip": "study_to_report", "clipse": "image_to_text"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(OWN))
@pytest.mark.parametrize("steps", [0, 4])
def test_a_recipe_trains_solves_and_is_searched_beside_its_floor(
    kind: str, steps: int, study_cache: Path, tmp_path: Path
) -> None:
    command = ["--base_config", str(CONFIG / kind / "small_data.yaml"), f"folder={tmp_path}"]
    own = [item for item in OWN[kind] if not item.startswith("data.size")]
    alone = ["optimizer.warmup_steps=0", "model.closed_form.share=1.0"] if steps == 0 else []
    chosen = ["model.closed_form.share=validated"] if steps else []
    tiny = [item for item in TINY if not (alone and item.startswith("optimizer.warmup_steps"))]
    more = [f"data.cache={study_cache}", f"steps={steps}", "checkpoint_every=4", "name=small"]
    assert main([*command, *tiny, *own, *alone, *chosen, *more]) == 0
    run = tmp_path / "small"
    weights = load_file(run / "checkpoints" / f"step-{steps}" / "model.safetensors")
    assert weights["closed_form.weight"].any()
    assert weights["text_encoder.idf"].any()
    assert ("closed_form.share" in weights) == (steps > 0)
    found = read_json(run / "results.json")["retrieval"][DIRECTIONS[kind]]["recall_at_10"]
    assert {"ridge_pixels", "ridge_features"} <= found["baselines"].keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(OWN))
def test_a_recipe_for_pretrained_towers_solves_on_what_they_make(
    kind: str, study_cache: Path, tmp_path: Path
) -> None:
    bert = tmp_path / "bert"
    config = BertConfig(
        vocab_size=2048,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertModel(config).save_pretrained(bert)
    command = ["--base_config", str(CONFIG / kind / "small_pretrained.yaml"), f"folder={tmp_path}"]
    video = "{backbone: test_byobnet, pretrained: false, depth: 0}"
    towers = [
        f"model.video_encoder={{name: timm, options: {video}}}",
        f"model.text_encoder={{name: terms_and_sentences, options: {{name: {bert}}}}}",
        "tokenizer={kind: trained, path: null, vocab_size: 512, max_tokens: 64}",
        *("model.width=32", "model.dim=32", "data.size=32", "batch=500", "steps=4"),
    ]
    given = ("model.width", "model.dim", "model.video", "data.size", "batch", "tokenizer")
    tiny = [item for item in (*TINY, *OWN[kind]) if not item.startswith(given)]
    assert main([*command, *tiny, *towers, f"data.cache={study_cache}", "name=small"]) == 0
    weights = load_file(tmp_path / "small" / "checkpoints" / "step-4" / "model.safetensors")
    assert weights["closed_form.weight"].any()
    assert weights["text_encoder.sentence_mean"].any()
    found = read_json(tmp_path / "small" / "results.json")["retrieval"][DIRECTIONS[kind]]
    assert {"ridge_pixels", "ridge_features"} <= found["recall_at_10"]["baselines"].keys()
