"""How each kind of vision model of transformers is given clips, and where its tokens are."""

import inspect
import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.core.errors import UserError
from cinelex.models.shapes import Clips, ClipTokens
from cinelex.models.tubelets import grid_of

Grid = tuple[int, int, int]


class Reader(ABC):
    """What is different from one kind of vision model to the next."""

    unread: tuple[str, ...] = ()
    """Parts of the model that serve another purpose, and are left out."""

    def __init__(self, config: Any, *, frames: int, size: int) -> None:
        """Take the config of a checkpoint, and the clips that it is going to see.

        Raises:
            UserError: Sizes that do not fit.
        """
        self.config, self.frames, self.size = config, frames, size
        self.tubelet = self.cut(config)
        self.grid = grid_of(frames=frames, size=size, tubelet=self.tubelet)

    @abstractmethod
    def cut(self, config: Any) -> Grid:
        """Return frames, rows and columns of pixels in one token."""

    @abstractmethod
    def own_grid(self, config: Any) -> Grid:
        """Return the tokens of a clip that the checkpoint was trained on; 0 frames for any."""

    def changes(self) -> dict[str, Any]:
        """Return fields of the config to set before the weights are loaded."""
        return {}

    @abstractmethod
    def read(self, encoder: nn.Module, pixels: Clips) -> tuple[ClipTokens, Tensor | None]:
        """Return the tokens of each clip, and what the model itself makes of them, if anything."""

    def interpolated(self, config: Any) -> dict[str, str]:
        """Return what of the checkpoint is fitted to another grid, and from which to which."""
        own = self.own_grid(config)
        mine = (self.grid[0] if own[0] else 0, *self.grid[1:])
        if own == mine:
            return {}
        before, now = ("x".join(str(n) for n in grid if n) for grid in (own, mine))
        return {"positions": f"from {before} to {now} tokens"}


class Images(Reader):
    """A vision transformer that sees one frame at a time: ViT, CLIP, SigLIP, DINOv2 and others."""

    def cut(self, config: Any) -> Grid:
        """Do as any reader does."""
        if not isinstance(getattr(config, "patch_size", None), int):
            raise UserError(
                f"{config.model_type} has no square patches; use the video encoder timm for it"
            )
        return 1, config.patch_size, config.patch_size

    def own_grid(self, config: Any) -> Grid:
        """Do as any reader does."""
        image = config.image_size
        side = (image if isinstance(image, int) else image[0]) // config.patch_size
        return 0, side, side

    def read(self, encoder: nn.Module, pixels: Clips) -> tuple[ClipTokens, Tensor | None]:
        """Do as any reader does."""
        # who has no such option interpolates without being asked, or says that it cannot
        asked = "interpolate_pos_encoding" in inspect.signature(encoder.forward).parameters
        other = asked and bool(self.interpolated(self.config))
        frames = rearrange(pixels, "clip rgb frame y x -> (clip frame) rgb y x")
        out = encoder(frames, **({"interpolate_pos_encoding": True} if other else {}))
        return self._of_clips(out, len(pixels))

    def _of_clips(self, out: Any, clips: int) -> tuple[ClipTokens, Tensor | None]:
        """Return the patches without what stands before them, such as a class token."""
        patches = out.last_hidden_state[:, -self.grid[1] * self.grid[2] :]
        tokens = rearrange(patches, "(clip frame) n width -> clip (frame n) width", clip=clips)
        pooled = getattr(out, "pooler_output", None)
        rows = None
        if pooled is not None:
            rows = rearrange(pooled, "(clip frame) width -> clip frame width", clip=clips)
        return tokens, rows


class Patches(Images):
    """SigLIP 2 of native resolution, which is given patches instead of pictures."""

    def own_grid(self, config: Any) -> Grid:
        """Do as any reader does."""
        side = math.isqrt(config.num_patches)
        return 0, side, side

    def read(self, encoder: nn.Module, pixels: Clips) -> tuple[ClipTokens, Tensor | None]:
        """Do as any reader does."""
        patches = rearrange(
            pixels,
            "clip rgb frame (y rows) (x columns) -> (clip frame) (y x) (rows columns rgb)",
            rows=self.tubelet[1],
            columns=self.tubelet[2],
        )
        # its numbers are read one by one, so that they stay where no device is waited for
        shapes = torch.tensor([self.grid[1:]], device="cpu").expand(len(patches), 2)
        # all frames have one size, so that no patch is padding
        out = encoder(patches, pixel_attention_mask=None, spatial_shapes=shapes)
        return self._of_clips(out, len(pixels))


class Jepa(Reader):
    """V-JEPA 2, whose positions are rotations: no table, so any grid is computed anew."""

    unread = ("predictor",)

    def cut(self, config: Any) -> Grid:
        """Do as any reader does."""
        return config.tubelet_size, config.patch_size, config.patch_size

    def own_grid(self, config: Any) -> Grid:
        """Do as any reader does."""
        side = config.crop_size // config.patch_size
        return config.frames_per_clip // config.tubelet_size, side, side

    def changes(self) -> dict[str, Any]:
        """Do as any reader does."""
        return {"crop_size": self.size, "frames_per_clip": self.frames}

    def read(self, encoder: nn.Module, pixels: Clips) -> tuple[ClipTokens, Tensor | None]:
        """Do as any reader does."""
        return encoder(_video(pixels), skip_predictor=True).last_hidden_state, None


class Prism(Reader):
    """VideoPrism, which looks at space first and then at time."""

    def cut(self, config: Any) -> Grid:
        """Do as any reader does."""
        frames, rows, columns = config.tubelet_size
        return frames, rows, columns

    def own_grid(self, config: Any) -> Grid:
        """Do as any reader does."""
        image = config.image_size
        side = (image if isinstance(image, int) else image[0]) // config.tubelet_size[1]
        return config.num_frames // config.tubelet_size[0], side, side

    def read(self, encoder: nn.Module, pixels: Clips) -> tuple[ClipTokens, Tensor | None]:
        """Do as any reader does."""
        other = bool(self.interpolated(self.config))
        out = encoder(_video(pixels), interpolate_pos_encoding=other)
        return out.last_hidden_state, None


READERS: dict[str, type[Reader]] = {
    "siglip2_vision_model": Patches,
    "videoprism_vision_model": Prism,
    "vjepa2": Jepa,
}
"""By the kind that a config says; any other is a model of images."""


def _video(pixels: Clips) -> Float[Tensor, "clip frame rgb row column"]:
    return pixels.transpose(1, 2)
