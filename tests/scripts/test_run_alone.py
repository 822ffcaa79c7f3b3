"""A trained run needs nothing but its folder and the studies."""

from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    VideoMAEConfig,
    VideoMAEImageProcessor,
    VideoMAEModel,
)

from tests.tiny_run import arguments, succeed

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,%-–()/:;"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{one}" for one in LETTERS)]


def _pretrained(folder: Path) -> tuple[Path, Path]:
    """Return folders of a random VideoMAE and a random BERT, as their own library writes them."""
    video, text = folder / "video", folder / "text"
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    clip: dict[str, Any] = {"image_size": 32, "patch_size": 8, "num_frames": 4}
    VideoMAEModel(VideoMAEConfig(**clip, **sizes)).save_pretrained(video)
    means, deviations = [0.1, 0.5, 0.7], [0.3, 0.2, 0.4]
    VideoMAEImageProcessor(image_mean=means, image_std=deviations).save_pretrained(video)
    BertModel(BertConfig(vocab_size=len(WORDS), **sizes)).save_pretrained(text)
    (text / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizer(str(text / "vocab.txt")).save_pretrained(text)
    return video, text


@pytest.mark.slow
def test_validate_equals_training_where_the_pretrained_folders_are_gone(
    tmp_path: Path, study_cache: Path
) -> None:
    video, text = _pretrained(tmp_path / "pretrained")
    command = arguments(
        tmp_path,
        study_cache,
        "name=foreign",
        "steps=2",
        f"model.video_encoder={{name: videomae, options: {{pretrained: {video}}}}}",
        f"model.text_encoder={{name: huggingface, options: {{name: {text}}}}}",
        f"tokenizer={{kind: pretrained, path: {text}, max_tokens: 64}}",
    )
    above = ("model.video_encoder.", "model.text_encoder.", "tokenizer.")
    command = [item for item in command if not item.startswith(above)]
    succeed(command)
    results = tmp_path / "foreign" / "results.json"
    before = results.read_bytes()
    results.unlink()
    rmtree(tmp_path / "pretrained")
    succeed([*command, "--run_mode", "validate"])
    assert results.read_bytes() == before
