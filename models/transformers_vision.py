"""Vision models of transformers: any of images, on each frame, and some of videos."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import make_repeatable
from cinelex.models.hub import (
    described,
    load_pretrained,
    pixel_statistics,
    read_config,
    read_tensor,
    rebuilt,
)
from cinelex.models.normalize import Levels, Normalize, pixels_of
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep
from cinelex.models.transformers_readers import READERS, Images, Reader

VISUAL = "visual_projection.weight"
"""The matrix of a CLIP from its image tower into the space that it shares with texts."""


class TransformersVision(PretrainedVideo):
    """A pretrained vision model: ViT, DINOv2, CLIP, SigLIP, SigLIP 2, V-JEPA 2, VideoPrism.

    Source: Radford et al. 2021, CLIP, arXiv:2103.00020; Tschannen et al. 2025, SigLIP 2,
    arXiv:2502.14786; Assran et al. 2025, V-JEPA 2, arXiv:2506.09985; Zhao et al. 2024, VideoPrism,
    arXiv:2402.13217.
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: str,
        output: Literal["tokens", "pooled", "embedding"] = "tokens",
        mean: Levels | None = None,
        std: Levels | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the encoder.

        Args:
            width: Embedding dimension of a token, to which the encoder's own is projected.
            frames: Frames a clip.
            size: Rows, and columns, of a frame.
            channels: 3, or 1 for gray, which is shown to all three.
            pretrained: A local folder, or a hub name that is in the cache or can be downloaded; of
                two towers, such as CLIP's, the one for images is taken.
            output: The tokens of the patches; or one token a frame, as the model itself pools them;
                or that behind the matrix into the space that it shares with a text tower.
            mean: Of the levels in [0, 1] that the weights were trained on; None takes what their
                folder says.
            std: Their deviation.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: Weights that cannot be had, do not fit, or have no such output.
        """
        super().__init__()
        self.trunk, self.width, self.output = "encoder", width, output
        if kept is None:
            kept = self._load(pretrained, frames=frames, size=size)
        else:
            self.encoder = _built(kept)
        self.reader = reader_of(self.encoder.config, frames=frames, size=size)
        for name in self.reader.unread:
            setattr(self.encoder, name, None)
        self.kept = {**kept, "config": described(self.encoder)}
        self.grid, self.tubelet = self.reader.grid, self.reader.tubelet
        if output != "tokens":
            self.grid, self.tubelet = (frames, 1, 1), (1, size, size)
        self.pixels = pixels_of(kept["pixels"], mean, std)
        self.normalize = Normalize(self.pixels.mean, self.pixels.std)
        make_repeatable(self.encoder, trained=True)
        self._freeze_unread(channels=3)
        embedding: Any = self.encoder.embedding if output == "embedding" else None
        hidden: Any = self.encoder.config
        native: int = hidden.hidden_size if embedding is None else embedding.out_features
        self.native = native
        self.project = nn.Identity() if native == width else nn.Linear(native, width)

    def _load(self, pretrained: str, *, frames: int, size: int) -> dict[str, Any]:
        """Take the encoder from its folder, note what arrived, and return what is to be kept."""
        # Here, because it takes seconds.
        from transformers import AutoModel

        config = read_config(pretrained, "vision")
        reader = reader_of(config, frames=frames, size=size)
        self.encoder, arrival = load_pretrained(
            AutoModel,
            pretrained,
            tower="vision",
            may_lack="pooler" if self.output == "tokens" else "",
            **reader.changes(),
        )
        fitted = reader.interpolated(config)
        self.arrival = replace(arrival.without(reader.unread), interpolated=fitted)
        kept: dict[str, Any] = {"pixels": pixel_statistics(pretrained), "embedding": None}
        if self.output == "embedding":
            projection = read_tensor(pretrained, VISUAL)
            self.arrival = self.arrival.also(VISUAL, "embedding.weight", projection)
            self.encoder.embedding = _matrix(*projection.shape)
            self.encoder.embedding.load_state_dict({"weight": projection})
            kept["embedding"] = list(projection.shape)
        return kept

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip, or one a frame."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return what the encoder puts out."""
        assert keep is None
        pixels = self.normalize(clips)
        # of one number a channel gray stays gray
        colours = pixels if pixels.shape[1] == 3 else pixels.expand(-1, 3, -1, -1, -1)
        return self._output(self.encoder, colours)

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Project them where the width is another."""
        return self.project(features)

    def _output(self, encoder: Any, pixels: Clips) -> ClipTokens:
        """Return what is asked for of an encoder.

        Raises:
            UserError: The model pools nothing.
        """
        tokens, pooled = self.reader.read(encoder, pixels)
        if self.output == "tokens":
            return tokens
        if pooled is None:
            raise UserError("the model has no pooled output; set output to tokens")
        return encoder.embedding(pooled) if self.output == "embedding" else pooled

    def _freeze_unread(self, *, channels: int) -> None:
        """Freeze what the output does not depend on, such as a head for another output.

        Found on a model without numbers, where running back costs nothing.
        """
        assert self.kept is not None
        with torch.device("meta"):
            hollow = _built(self.kept)
            frames, size = self.reader.frames, self.reader.size
            pixels = torch.zeros(1, channels, frames, size, size)
        with torch.enable_grad():
            self._output(hollow, pixels).sum().backward()
        read = {name for name, weight in hollow.named_parameters() if weight.grad is not None}
        for name, weight in self.encoder.named_parameters():
            weight.requires_grad_(name in read)


def reader_of(config: Any, *, frames: int, size: int) -> Reader:
    """Return how a model of a config is given clips."""
    return READERS.get(config.model_type, Images)(config, frames=frames, size=size)


def _built(kept: Mapping[str, Any]) -> Any:
    """Return an encoder as a run kept it, with values that mean nothing."""
    from transformers import AutoModel

    encoder: Any = rebuilt(AutoModel, kept["config"])
    if kept["embedding"] is not None:
        encoder.embedding = _matrix(*kept["embedding"])
    return encoder


def _matrix(rows: int, columns: int) -> nn.Linear:
    return nn.Linear(columns, rows, bias=False)
