"""Sound model folders of every kind that a config, or a command, reads; and a run and an export."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import open_clip
import timm
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from benchmarks.planted import CANARY, plant_studies
from cinelex.scripts import export
from tests.tiny_run import arguments, succeed

SPOKEN = ("stenosis", "of", "the", "mid", "lad")
VOCAB = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", CANARY, *SPOKEN)
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
PATCH: dict[str, Any] = {**SIZES, "image_size": 32, "patch_size": 8}
WORDS: dict[str, Any] = {**SIZES, "vocab_size": len(VOCAB), "max_position_embeddings": 24}
MARKS = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
UNMASKED = ("loss_weights.masked_modeling=0", "data.channels=3")


def _tokenizer(folder: Path) -> None:
    engine = Tokenizer(models.WordLevel({word: n for n, word in enumerate(VOCAB)}, "[UNK]"))
    engine.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=engine, **MARKS)
    fast.save_pretrained(folder)


def _text(folder: Path) -> None:
    transformers.BertModel(transformers.BertConfig(**WORDS)).save_pretrained(folder)
    _tokenizer(folder)


def _clip(folder: Path) -> None:
    config = transformers.CLIPConfig(text_config=WORDS, vision_config=PATCH, projection_dim=8)
    transformers.CLIPModel(config).save_pretrained(folder)
    _pixels(folder)
    _tokenizer(folder)


def _pixels(folder: Path) -> None:
    settings = {"image_mean": [0.5] * 3, "image_std": [0.2] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))


def _vision(make: Callable[[], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        make().save_pretrained(folder)
        _pixels(folder)

    return write


def _jepa() -> Any:
    config = transformers.VJEPA2Config(
        patch_size=8,
        crop_size=32,
        frames_per_clip=4,
        hidden_size=24,
        num_attention_heads=2,
        num_hidden_layers=2,
        pred_hidden_size=12,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
    )
    return transformers.VJEPA2Model(config)


def _mae() -> Any:
    config = transformers.VideoMAEConfig(**PATCH, num_frames=4, tubelet_size=2)
    return transformers.VideoMAEModel(config)


def _open_clip(folder: Path) -> None:
    model = {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32,
            "layers": 1,
            "width": 16,
            "head_width": 8,
            "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 8,
            "heads": 2,
            "layers": 1,
        },
    }
    config = {"model_cfg": model, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.3] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    made = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    weights = {name: value.contiguous() for name, value in made.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")


def _timm(folder: Path) -> None:
    save_file(timm.create_model("test_vit").state_dict(), folder / "weights.safetensors")


def _timm_pth(folder: Path) -> None:
    state = timm.create_model("test_vit").state_dict()
    torch.save({"state_dict": state}, folder / "weights.pth")


FOREIGN: Mapping[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "text": (
        _text,
        (
            "model.text_encoder={name: huggingface, options: {name: FOLDER}}",
            "tokenizer={kind: pretrained, path: FOLDER, max_tokens: 24}",
        ),
    ),
    "clip": (
        _clip,
        (
            "model.video_encoder={name: transformers, options: {pretrained: FOLDER}}",
            "model.text_encoder={name: huggingface, options: {name: FOLDER, pooling: last}}",
            "tokenizer={kind: pretrained, path: FOLDER, max_tokens: 24}",
            *UNMASKED,
        ),
    ),
    "dinov2": (
        _vision(lambda: transformers.Dinov2Model(transformers.Dinov2Config(**PATCH))),
        (
            "model.video_encoder={name: transformers, options: {pretrained: FOLDER}}",
            "model.video_frozen=all",
            *UNMASKED,
        ),
    ),
    "vjepa2": (
        _vision(_jepa),
        (
            "model.video_encoder={name: transformers, options: {pretrained: FOLDER}}",
            *UNMASKED,
        ),
    ),
    "videomae": (
        _vision(_mae),
        ("model.video_encoder={name: videomae, options: {pretrained: FOLDER}}", "data.channels=3"),
    ),
    "open_clip": (
        _open_clip,
        (
            "model.video_encoder={name: open_clip, options: {name: FOLDER, pretrained: true}}",
            "model.text_encoder={name: open_clip, options: {name: FOLDER, pretrained: true}}",
            "tokenizer={kind: open_clip, max_tokens: 24}",
            *("model.width=16", "model.dim=16", "data.frames=1", "data.stored_frames=1"),
            *UNMASKED,
        ),
    ),
    "timm": (
        _timm,
        (
            "model.video_encoder={name: timm, options: {backbone: test_vit, "
            "pretrained: FOLDER/weights.safetensors}}",
            *UNMASKED,
        ),
    ),
    "timm_pth": (
        _timm_pth,
        (
            "model.video_encoder={name: timm, options: {backbone: test_vit, "
            "pretrained: FOLDER/weights.pth}}",
            *UNMASKED,
        ),
    ),
}
"""How each kind of folder is written, and the keys by which a config reads it."""
RUN: tuple[tuple[str, ...], ...] = (
    ("main", "--base_config", "RUN", "CACHE", "steps=3", "resume_skip=[steps,optimizer]"),
    ("main", "--base_config", "RUN", "--run_mode", "validate", "CACHE"),
    (
        *("main", "--base_config", "RUN", "--run_mode", "inference", "CACHE"),
        "data.inference_manifest=NEW",
    ),
    ("main", "--base_config", "RUN", "--run_mode", "embed", "CACHE"),
    ("main", "--base_config", "RUN", "--run_mode", "doctor", "CACHE"),
    ("export", "RUN", "--out", "OUT"),
    ("use", "RUN", "VIDEO", "--run_mode", "search", "--reports", "NEW"),
    ("use", "RUN", "VIDEO", "--run_mode", "caption"),
    ("doctor", "check", "RUN"),
    ("runs", "show", "RUN"),
    ("index", "RUN"),
)
"""What a run's folder is asked for; the first word is the command."""
EXPORT: tuple[tuple[str, ...], ...] = (
    ("use", "RUN", "VIDEO", "--run_mode", "search", "--reports", "NEW"),
    ("use", "RUN", "VIDEO", "--run_mode", "caption"),
    ("use", "RUN", "VIDEO", "--run_mode", "facts"),
    ("evaluate", "RUN", "--manifest", "NEW", "--out", "OUT"),
)
"""The same of an exported folder."""


def planted_keys(data: Path, cache: Path) -> list[str]:
    """Return the keys of a run over planted studies."""
    return [
        *("name=fuzz", f"data.manifest={data / 'sound.csv'}", "steps=2", "batch=4"),
        *("validate_every=1", "checkpoint_every=1", f"data.cache={cache}"),
        "evaluation.facts=none",
    ]


def write_sound(outer: Path) -> None:
    """Write planted studies, every kind of folder, a trained run and its export."""
    data = outer / "set"
    data.mkdir()
    plant_studies(data)
    with (data / "new.csv").open("w", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader((data / "sound.csv").open(encoding="utf-8")))
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(row for row in rows if row["split"] == "test")
    torch.manual_seed(0)
    for kind, (write, _) in FOREIGN.items():
        (outer / "sound" / kind).mkdir(parents=True)
        write(outer / "sound" / kind)
    given = arguments(outer / "sound", outer / "cache", *planted_keys(data, outer / "cache"))
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        succeed(given)
        code = export.main(
            [str(outer / "sound" / "fuzz"), "--out", str(outer / "sound" / "export")]
        )
        assert code == 0
