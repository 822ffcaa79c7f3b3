"""Whether what a pretrained tower makes of a sample can be kept, and which tower made it."""

import hashlib
import json

import torch
from torch import Tensor, nn

from cinelex.models.contracts import PretrainedText, PretrainedVideo


def frozen_trunk(encoder: nn.Module) -> bool:
    """Return whether an encoder has a pretrained part of which nothing is trained."""
    if not isinstance(encoder, PretrainedVideo | PretrainedText):
        return False
    return not any(p.requires_grad for p in encoder.get_submodule(encoder.trunk).parameters())


def trunk_hash(encoder: PretrainedVideo | PretrainedText) -> str:
    """Return a hash of the pretrained part: its layers, what it was built from, its tensors.

    Beside them of what stands before it, the statistics by which pixels are normalised.
    """
    trunk = encoder.get_submodule(encoder.trunk)
    described = [type(encoder).__qualname__, repr(trunk), json.dumps(encoder.kept, sort_keys=True)]
    digest = hashlib.blake2b("\0".join(described).encode(), digest_size=16)
    tensors = dict(trunk.state_dict())
    if isinstance(encoder, PretrainedVideo):
        tensors |= {f"normalize.{n}": t for n, t in encoder.normalize.named_buffers()}
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data
