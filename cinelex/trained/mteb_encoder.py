"""A trained run as an encoder of the package mteb, so that its tasks can be asked of it.

Nothing of mteb is imported before it asks for the metadata of the model:

    import mteb
    from cinelex.trained.mteb_encoder import MtebEncoder

    mteb.evaluate(MtebEncoder("runs/multitask"), mteb.get_tasks(tasks=["MSRVTTT2V"]))
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.models.embedding import unit_rows
from cinelex.trained.loading import load

Rows = Float[np.ndarray, "item dim"]


class MtebEncoder:
    """Unit rows of texts, videos and images, by the protocol of mteb 2 (``EncoderProtocol``)."""

    def __init__(
        self, model_name: str, revision: str | None = None, *, device: str | None = None, **_: Any
    ) -> None:
        """Load a run, an export or a bundle.

        Args:
            model_name: Its folder.
            revision: What mteb calls it by; the folder's name where left out.
            device: Where to compute.
        """
        self.run = load(model_name, device=device or "cpu")
        self.name, self.revision = Path(model_name).name, revision

    def encode(
        self, inputs: Iterable[Mapping[str, Any]], *, prompt_type: Any = None, **_: Any
    ) -> Rows:
        """Return a unit row for each item; of an item with text and video, their mean direction.

        Args:
            inputs: Batches, each a list for every modality, as mteb's loaders yield them.
            prompt_type: Queries and documents are encoded alike.

        Raises:
            UserError: An item has none of text, video and image.
        """
        rows = [self._rows(batch) for batch in inputs]
        return np.asarray(torch.cat(rows).float().numpy())

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, "one other"]:
        """Return the cosine of each row with each other one."""
        return _unit(embeddings1) @ _unit(embeddings2).T

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Float[Tensor, " pair"]:
        """Return the cosine of each row with its partner."""
        return (_unit(embeddings1) * _unit(embeddings2)).sum(dim=-1)

    @property
    def mteb_model_meta(self) -> Any:
        """What mteb keeps beside the results; a run states neither a licence nor a release."""
        model = self.run.model
        weights = sum(weight.numel() for weight in model.parameters())
        known = {
            "name": f"cinelex/{self.name}",
            "revision": self.revision or self.name,
            "n_parameters": weights,
            "memory_usage_mb": weights * 4 / 2**20,
            "max_tokens": self.run.tokenizer.max_tokens,
            "embed_dim": self.run.config.model.dim,
            "framework": ["PyTorch"],
            "similarity_fn_name": "cosine",
            "use_instructions": False,
            "open_weights": False,
            "modalities": ["text", "image", "video"],
        }
        meta = import_module("mteb.models").ModelMeta
        unstated = {name: None for name, field in meta.model_fields.items() if field.is_required()}
        return meta(**{**unstated, **known})

    def _rows(self, batch: Mapping[str, Any]) -> Float[Tensor, "item dim"]:
        found = []
        for kind in ("video", "image"):
            if batch.get(kind) is not None:
                studies = [[_frames(item)] for item in batch[kind]]
                found.append(self.run.encode_videos(studies))
        if batch.get("text") is not None:
            found.append(self.run.encode_reports([_told(text) for text in batch["text"]]))
        if not found:
            raise UserError("mteb: an item has neither text nor video nor image")
        return unit_rows(torch.stack(found).sum(dim=0))


def _told(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _frames(item: Any) -> UInt8[np.ndarray, "frame row column channel"]:
    """Return what mteb gives for a video or an image as frames.

    A decoder of torchcodec, a tensor of frames with the channel first, or a picture of Pillow.
    """
    if hasattr(item, "get_frames_at"):
        item = item.get_frames_at(list(range(item.metadata.num_frames))).data
    if isinstance(item, Tensor):
        frames = item if item.ndim == 4 else item[None]
        return np.asarray(frames.movedim(-3, -1).numpy())
    return np.asarray(item.convert("RGB"), np.uint8)[None]


def _unit(rows: Any) -> Float[Tensor, "item dim"]:
    return unit_rows(torch.atleast_2d(torch.as_tensor(rows).float()))
