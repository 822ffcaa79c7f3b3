"""Checkpoints of which every rank writes its own part: read whole, on any number of processes.

The parts are safetensors files that torch.distributed.checkpoint lays out; no pickle is in them.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

BEGINNING = "shard-"
"""What the names of their files begin with."""


def is_sharded(folder: Path) -> bool:
    """Return whether a checkpoint lies in parts."""
    return any(folder.glob(f"{BEGINNING}*.safetensors"))


def flat(files: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of all files under one name each."""
    return {f"{file}:{name}": t for file, tensors in files.items() for name, t in tensors.items()}


def read_shards(folder: Path, file: str) -> dict[str, Tensor]:
    """Return the whole tensors that would be in one file of a checkpoint that is not sharded."""
    # here, because they take seconds
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata
    from torch.distributed.checkpoint.state_dict_loader import load

    reader, beginning = HuggingFaceStorageReader(str(folder)), f"{file}:"
    state = {
        name: torch.empty(known.size, dtype=known.properties.dtype)
        for name, known in reader.read_metadata().state_dict_metadata.items()
        if name.startswith(beginning) and isinstance(known, TensorStorageMetadata)
    }
    if state:
        with warnings.catch_warnings():  # that one process reads by itself, which is meant
            warnings.simplefilter("ignore", UserWarning)
            load(state, storage_reader=reader, no_dist=True)
    return {name.removeprefix(beginning): tensor for name, tensor in state.items()}
