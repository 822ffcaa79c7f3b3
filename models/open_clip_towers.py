"""The two towers of any OpenCLIP model, by name where there is a network, by path where not."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.models.arrival import Arrival, checksums
from cinelex.models.contracts import PretrainedText, PretrainedVideo
from cinelex.models.foreign import make_repeatable
from cinelex.models.normalize import Levels, Normalize, pixels_of
from cinelex.models.open_clip_loading import open_clip_model
from cinelex.models.shapes import (
    ClipFeatures,
    Clips,
    ClipTokens,
    Keep,
    Studies,
    TokenFeatures,
    TokenIds,
    TokenMask,
    TrunkFeatures,
)


class OpenClipImage(PretrainedVideo):
    """The image tower with its projection: one token an image, in the space of the pair.

    Source: Cherti et al. 2023, arXiv:2212.07143; Radford et al. 2021, arXiv:2103.00020.
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        name: str = "ViT-B-32",
        pretrained: bool | str = False,
        mean: Levels | None = None,
        std: Levels | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the tower.

        Args:
            width: Embedding dimension of a token; the model's own embedding size.
            frames: Frames of a clip; must be 1.
            size: Rows and columns of the image; the model's own.
            channels: 3, or 1 for gray, which is shown to all three.
            name: See `load_open_clip`; give the text tower the same.
            pretrained: See `load_open_clip`; give the text tower the same.
            mean: Of the levels in [0, 1] that the weights were trained on; None takes their own.
            std: Their deviation.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: The model is not to be had.
            ValueError: Images of another kind, or another width.
        """
        super().__init__()
        model, self.kept = open_clip_model(name, pretrained, kept)
        self.tower = model.visual
        self.trunk = "tower" if pretrained is not False else ""
        self.arrival = _arrival(self, name, pretrained, kept)
        self.native = self.width = width
        self.grid, self.tubelet = (1, 1, 1), (1, size, size)
        sides: Any = self.tower.image_size
        native = sides if isinstance(sides, int) else sides[0]
        if (frames, size) != (1, native):
            raise ValueError(
                f"{name} reads one frame of {native} pixels; set data.frames=1 and "
                f"data.size={native}"
            )
        _check_width(width, _embedding(self.tower, size), name)
        make_repeatable(self.tower, trained=pretrained is not False)
        # a tag of weights may bring statistics of its own, which a blank tower has not
        statistics: Any = self.tower
        found = {"mean": statistics.image_mean, "std": statistics.image_std, **(kept or {})}
        self.kept |= {"mean": list(found["mean"]), "std": list(found["std"])}
        own = tuple(self.kept["mean"]), tuple(self.kept["std"])
        pixels = pixels_of(own, mean, std)
        self.pixels = pixels if self.trunk else None
        self.normalize = Normalize(pixels.mean, pixels.std)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return one token an image."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the tower's row of each image, as the one token."""
        assert keep is None
        return self.tower(self.normalize(clips)[:, :, 0])[:, None]

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Return them as they are: nothing fresh stands behind the tower."""
        return features


class OpenClipText(PretrainedText):
    """The text tower with its projection; it needs the tokenizer ``kind: open_clip``."""

    def __init__(
        self,
        *,
        width: int,
        vocab: int,
        max_tokens: int,
        name: str = "ViT-B-32",
        pretrained: bool | str = False,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Load the tower.

        Args:
            width: Embedding dimension of a report; the model's own embedding size.
            vocab: Tokens that the tokenizer knows.
            max_tokens: Tokens of the longest caption.
            name: See `load_open_clip`.
            pretrained: See `load_open_clip`.
            kept: As of the image tower.

        Raises:
            UserError: The model is not to be had, or its text tower is not one of CLIP's kind.
            ValueError: Another width, more tokens than it knows, or longer captions.
        """
        super().__init__()
        model, self.kept = open_clip_model(name, pretrained, kept)
        self.tower = model.text
        self.trunk = "tower" if pretrained is not False else ""
        self.arrival = _arrival(self, name, pretrained, kept)
        if getattr(self.tower, "pool_type", None) != "argmax" or self.tower.cls_emb is not None:
            raise UserError(
                f"{name}: only text towers that end on their last token are supported; use the "
                "text encoder huggingface for others"
            )
        if vocab > self.tower.vocab_size or max_tokens > self.tower.context_length:
            raise ValueError(
                f"{name} knows {self.tower.vocab_size} tokens and reads {self.tower.context_length}"
                f", not {vocab} and {max_tokens}; set tokenizer.kind=open_clip and "
                f"tokenizer.max_tokens={self.tower.context_length}"
            )
        _check_width(width, self.tower.output_dim, name)
        make_repeatable(self.tower, trained=pretrained is not False)
        self.width = width

    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return the projected features of each token; no token sees those behind it."""
        return self.tokens(self.features(token_ids, attention_mask))

    def tokens(self, features: TrunkFeatures) -> TokenFeatures:
        """Return them as they are: nothing fresh stands behind the tower."""
        return features

    def features(self, token_ids: TokenIds, attention_mask: TokenMask) -> TrunkFeatures:
        """Return all that the tower makes of each token."""
        length = token_ids.shape[1]
        features = self.tower.token_embedding(token_ids) + self.tower.positional_embedding[:length]
        mask = self.tower.attn_mask[:length, :length]
        features = self.tower.ln_final(self.tower.transformer(features, attn_mask=mask))
        projection = self.tower.text_projection
        if isinstance(projection, nn.Linear):
            return projection(features)
        return features @ projection

    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return the last token that is no padding, which is eos."""
        positions = torch.arange(attention_mask.shape[1], device=attention_mask.device)
        last = torch.where(attention_mask, positions, -1).amax(1)
        return features[torch.arange(len(features), device=features.device), last]


def _arrival(
    encoder: PretrainedVideo | PretrainedText,
    name: str,
    pretrained: bool | str,
    kept: Mapping[str, Any] | None,
) -> Arrival | None:
    """Return what arrived: all of it, since open_clip refuses weights that lack or add a tensor."""
    if kept is not None or not encoder.trunk:
        return None
    source = name if pretrained is True else f"{pretrained} of {name}"
    state = encoder.tower.state_dict()  # type: ignore[union-attr]
    return Arrival(source=source, pairs=[(n, n) for n in state], checksums=checksums(state))


def _embedding(tower: nn.Module, size: int) -> int:
    """Return the dimension of the tower's embedding of an image."""
    found: Any = getattr(tower, "output_dim", None)
    if found is not None:
        return int(found)
    with torch.no_grad():
        out: Tensor = tower.eval()(torch.zeros(1, 3, size, size))
    return out.shape[1]


def _check_width(width: int, native: int, name: str) -> None:
    if width != native:
        raise ValueError(
            f"{name} embeds into {native} dimensions; set model.width={native}, model.dim={native} "
            "and model.heads=none"
        )
