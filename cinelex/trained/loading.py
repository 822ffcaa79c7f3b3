"""From the name of a run, an exported folder or a bundle to its model."""

import re
from pathlib import Path

import torch

from cinelex.config.load import load_config
from cinelex.core import checkpoint
from cinelex.core.errors import UserError
from cinelex.core.weights import load_weights
from cinelex.data.text.saved import load_tokenizer
from cinelex.models.adapters import merge_adapters
from cinelex.models.study_model import StudyModel
from cinelex.projects import build_study_model
from cinelex.projects.interface.towers import kept_towers
from cinelex.projects.multitask.fact_writer import FactWriter
from cinelex.trained.engines import TorchEngine
from cinelex.trained.exported import EngineName, is_export, load_export
from cinelex.trained.run import TrainedRun

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
COMPANIONS = ("companions",)
"""Modules that travel with a model in training: a teacher, a loss's memory."""


def load(run: str | Path, *, device: str = "cpu", engine: EngineName = "torch") -> TrainedRun:
    """Return a trained model, ready to encode, caption and search.

    Args:
        run: A run's folder, such as ``runs/multitask``; a folder that ``cinelex export`` or
            ``cinelex bundle`` wrote, which must answer as it did when it was written; or
            ``owner/name`` of such a folder on the Hugging Face hub, which is kept in its cache.
        device: Where the model is put, such as ``cuda``.
        engine: What makes the unit rows; ``onnx`` and ``int8`` are graphs of an exported folder.

    Raises:
        UserError: There is no such run, its checkpoint is damaged, or an export does not answer as
            it did.

    Example:
        >>> run = load(folder)
        >>> run.model.training
        False
    """
    _check_device(device)
    folder = Path(run)
    if not folder.exists() and HUB_NAME.fullmatch(str(run)):
        folder = _from_hub(str(run))
    if is_export(folder):
        return load_export(folder, device=device, engine=engine)
    if engine != "torch":
        raise UserError(f"engine={engine!r} needs an exported folder; see cinelex export --help")
    return load_run(folder, device=device)


def _check_device(device: str) -> None:
    """Refuse what is no device, or not there."""
    kind, _, number = device.partition(":")
    if not re.fullmatch(r"cpu|cuda(:\d{1,3})?", device):
        raise UserError(f"device={device!r}: expected cpu, cuda, or cuda:1 for the second GPU")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UserError(f"device={device!r}: no such GPU is visible; leave it out for the CPU")


def load_run(folder: Path, *, device: str = "cpu") -> TrainedRun:
    """Return the model of a run's best checkpoint, or of its newest where none was chosen.

    Raises:
        UserError: There is no such run, or its checkpoint is damaged.
    """
    if not (folder / "config.yaml").is_file():
        raise UserError(f"{folder}: neither a run nor an export; name the folder with config.yaml")
    config = load_config(folder / "config.yaml")
    tokenizer = load_tokenizer(folder / "tokenizer")
    model: StudyModel = build_study_model(config, tokenizer, kept_towers(folder))
    found = checkpoint.newest(folder / "checkpoints", strict=True)
    if found is None:
        raise UserError(f"{folder / 'checkpoints'}: no checkpoint yet; train the run first")
    if found.position.best_step is not None and config.evaluation.checkpoint != "newest":
        found = checkpoint.best(found)
    load_weights(found, model, but=COMPANIONS)
    merge_adapters(model)
    model = model.eval().to(device)
    fact_writer = FactWriter.load(folder, tokenizer)
    return TrainedRun(config, model, tokenizer, TorchEngine(model), fact_writer)


def _from_hub(name: str) -> Path:
    """Return the folder of a model on the hub, in the local cache.

    Raises:
        UserError: It is neither here nor to be had.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as problem:
        raise UserError(
            f"{name}: no such folder, and not available from the hub ({type(problem).__name__})"
        ) from None
