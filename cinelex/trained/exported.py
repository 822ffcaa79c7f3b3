"""An exported folder: what it holds, how it is written, and how it proves itself when loaded.

``config.json`` says what it is and holds the hash of every other file; ``model.safetensors`` the
weights with adapters merged; ``tokenizer/`` the tokenizer; ``proof.safetensors`` made-up inputs
with their answers; ``onnx/`` and ``int8/`` graphs of the encoders; ``README.md`` the model card.
"""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.core.files import hash_file, read_json, write_json
from cinelex.core.tensors import save_tensors
from cinelex.core.weights import check_names
from cinelex.data.text.saved import load_tokenizer
from cinelex.models.study_model import StudyModel
from cinelex.projects import build_study_model
from cinelex.projects.interface.towers import Towers
from cinelex.projects.multitask.fact_writer import FACTS_FILE, FactWriter
from cinelex.trained.engines import Engine, OnnxEngine, TorchEngine
from cinelex.trained.proof import PROOF, answers_of_engine, answers_of_model, made_up, refuse_other
from cinelex.trained.run import TrainedRun

EngineName = Literal["torch", "onnx", "int8"]
"""What makes the unit rows."""
CONFIG, WEIGHTS, TYPE, FORMAT = "config.json", "model.safetensors", "cinelex", 1
OF_DATA = (
    *("size", "channels", "frames", "stored_frames", "sampling", "decoder", "limits"),
    *("max_videos", "compression"),
)
"""Keys below ``data`` that say how a video is read, and nothing of whose it is."""
OF_RUN = (
    *("name", "project", "seed", "steps", "batch", "contrastive", "temperature"),
    *("learn_temperature", "temperature_range", "loss_weights", "facts", "model", "evaluation"),
    "latent",
)
"""Keys of a config that a model and its evaluation need; what else there is may name a place."""


def is_export(folder: Path) -> bool:
    """Return whether a folder was exported from here."""
    path = folder / CONFIG
    return path.exists() and mapping_of(path).get("model_type") == TYPE


def mapping_of(path: Path) -> Mapping[str, Any]:
    """Return what a JSON file holds, if it is a mapping; else nothing."""
    found = read_json(path)
    return found if isinstance(found, dict) else {}


def portable(config: RunConfig) -> dict[str, Any]:
    """Return what of a config may leave the machine: how to read, build and evaluate."""
    whole = config.model_dump(mode="json")
    own = {key: whole[key] for key in OF_RUN}
    model = {**own["model"], "video_lora": None, "text_lora": None}
    return {**own, "model": model, "data": {key: whole["data"][key] for key in OF_DATA}}


def write_export(
    run: TrainedRun, towers: Towers, folder: Path, sentences: Sequence[str] = ()
) -> None:
    """Write everything but graphs, towers and card into an empty folder; `seal` comes last.

    Args:
        run: What is exported.
        towers: How to build its towers.
        folder: An empty one.
        sentences: Those of training reports that go along, to hold captions to the facts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.contiguous().clone() for name, value in run.model.state_dict().items()}
    save_tensors(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    run.tokenizer.save(folder / "tokenizer")
    if run.fact_writer is not None:
        run.fact_writer.save(folder)
        # without sentences, which stay at home unless asked for, captions are held to no facts
        kept = {**read_json(folder / FACTS_FILE), "sentences": sorted(sentences)}
        write_json(folder / FACTS_FILE, kept)
    inputs = made_up(run)
    save_tensors({**inputs, **answers_of_model(run, inputs)}, folder / PROOF)
    about = {
        "model_type": TYPE,
        "architectures": [type(run.model).__name__],
        "format": FORMAT,
        "cinelex_version": version("cinelex"),
        "dim": run.model.dim,
        "towers": towers,
        "run": portable(run.config),
    }
    write_json(folder / CONFIG, about)


def seal(folder: Path) -> str:
    """Write the hash of every file into ``config.json``; return the hash of that file."""
    about = {**mapping_of(folder / CONFIG), "files": hashes_of(folder)}
    write_json(folder / CONFIG, about)
    return hash_file(folder / CONFIG)


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the hash of every file but ``config.json``, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in files}
    return {name: hash_file(path) for name, path in named.items() if name != CONFIG}


def read_about(folder: Path) -> Mapping[str, Any]:
    """Return ``config.json`` of a folder whose files are those that were written.

    Raises:
        UserError: It is of another format, or a file is missing or differs.
    """
    if not (folder / CONFIG).is_file():
        raise UserError(
            f"{folder}: neither an export nor a bundle; cinelex bundle makes one of a run"
        )
    about = mapping_of(folder / CONFIG)
    if about.get("format") != FORMAT:
        raise UserError(f"{folder / CONFIG}: format {about.get('format')}, expected {FORMAT}")
    there = hashes_of(folder)
    for name, expected in about.get("files", {}).items():
        if there.get(name) != expected:
            what = "is missing" if name not in there else "is not the file that was written"
            raise UserError(f"{folder / name}: {what}; copy the folder again, or export it again")
    return about


def load_export(folder: Path, *, device: str = "cpu", engine: EngineName = "torch") -> TrainedRun:
    """Return the model of an exported folder, once it has answered as it did when it was written.

    Raises:
        UserError: A file differs, the folder is of another format, or an answer differs.
    """
    about = read_about(folder)
    config = _config(folder, about)
    tokenizer = load_tokenizer(folder / "tokenizer")
    model = build_study_model(config, tokenizer, about.get("towers") or {})
    _fill(model, folder / WEIGHTS)
    model.eval()
    chosen: Engine = TorchEngine(model) if engine == "torch" else OnnxEngine(folder / engine)
    run = TrainedRun(config, model, tokenizer, chosen, FactWriter.load(folder, tokenizer))
    proof = load_file(folder / PROOF)
    if engine == "torch":
        refuse_other(folder, proof, answers_of_model(run, proof))
    else:
        refuse_other(folder, proof, answers_of_engine(chosen, proof), engine=engine)
    model.to(device)
    moved = TorchEngine(model) if engine == "torch" else chosen
    return TrainedRun(config, model, tokenizer, moved, run.fact_writer)


def _config(folder: Path, about: Mapping[str, Any]) -> RunConfig:
    try:
        return RunConfig.model_validate_json(json.dumps(about["run"]))
    except (KeyError, ValidationError) as problem:
        raise UserError(
            f"{folder / CONFIG}: its run cannot be read ({type(problem).__name__}); it was written "
            f"by cinelex {about.get('cinelex_version')}, this is {version('cinelex')}"
        ) from None


def _fill(model: StudyModel, path: Path) -> None:
    """Give a model its weights, and take the memory of the file for them."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except SafetensorError as problem:
        raise UserError(f"{path}: damaged ({problem})") from None
    check_names(path, tensors, model.state_dict())
    with torch.no_grad():
        model.load_state_dict(tensors)
