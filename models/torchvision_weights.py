"""Weights of torchvision's video encoders, from a file or from where torch keeps them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.models.arrival import KeyMap, arrive
from cinelex.models.contracts import VideoEncoder
from cinelex.models.foreign import read_weights
from cinelex.models.normalize import Levels, Normalize, pixels_of

HEAD = "head.1.weight"
"""The matrix behind torchvision's dropout, into classes or into an embedding."""


@dataclass(frozen=True)
class File:
    """Weights, and where they are from."""

    tensors: Mapping[str, Tensor]
    path: str


def read_file(pretrained: bool | str, *, url: str) -> File | None:
    """Return the weights that are asked for, if any are.

    Raises:
        UserError: They cannot be had.
    """
    if pretrained is False:
        return None
    path = Path(pretrained) if isinstance(pretrained, str) else _download(url)
    return File(read_weights(path), str(path))


def take(
    encoder: VideoEncoder, module: nn.Module, found: File | None, *, key_map: KeyMap | None
) -> None:
    """Give a module the weights that were found, and note what arrived."""
    if found is not None:
        encoder.arrival = arrive(module, found.tensors, source=found.path, key_map=key_map)


def set_pixels(
    encoder: VideoEncoder,
    weights: Any,
    pretrained: bool | str,
    *,
    mean: Levels | None,
    std: Levels | None,
) -> None:
    """Normalise by what the config says, or else by what Kinetics' weights were trained behind."""
    preset = weights.transforms()
    # a file of one's own says nothing of its pixels; that it had Kinetics' is only likely
    pixels = pixels_of((preset.mean, preset.std), mean, std)
    if pretrained is not False:
        encoder.pixels = pixels if pretrained is True else replace(pixels, own=None)
    encoder.normalize = Normalize(pixels.mean, pixels.std)


def embedding_of(found: File | None, kept: Mapping[str, Any] | None) -> int:
    """Return the dimension of a file's embedding.

    Raises:
        UserError: There is no file, or it has none.
    """
    if kept is not None:
        return int(kept["embedding"])
    if found is None:
        raise UserError("output=embedding is the head of a file; set pretrained to its path")
    if HEAD not in found.tensors:
        raise UserError(f"{found.path} has no {HEAD}, so its embedding cannot arrive")
    return len(found.tensors[HEAD])


def of_head(key_map: KeyMap | None, output: str) -> KeyMap | None:
    """Return a map of names under which the matrix of the head stands without its dropout."""
    if output == "tokens" or key_map == "order":
        return key_map
    return {r"^head\.1\.": "head.", **(key_map or {})}


def _download(url: str) -> Path:
    """Return where torch keeps the file of a url, downloading it if it is not there.

    Raises:
        UserError: There is no network.
    """
    name = url.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        # The name ends with the first digits of the file's hash.
        digits = Path(name).stem.rsplit("-", 1)[-1]
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=digits, progress=False)
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"{name} cannot be obtained ({type(error).__name__}); download {url} on a machine "
                f"with a network and place it at {path}"
            ) from error
    return path
