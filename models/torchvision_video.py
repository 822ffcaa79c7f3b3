"""Video encoders of torchvision, with their tokens instead of their classes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import nn

from cinelex.core.errors import UserError
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import load_all, make_repeatable, read_weights
from cinelex.models.normalize import Normalize
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep
from cinelex.models.tubelets import grid_of


class MViTV2S(PretrainedVideo):
    """MViT-v2-S: attention that pools space as it goes deeper.

    Made for 16 frames of 224; for other sizes its relative positions are interpolated.

    Source: Li et al. 2022, arXiv:2112.01526; the layers are torchvision's.
    """

    drops_tokens = False
    trunk = "mvit"

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: bool | str = False,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the encoder.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip; a multiple of 2.
            size: Rows, and columns, of a frame; a multiple of 32.
            channels: 3, or 1 for gray, which is shown to all three.
            pretrained: False for random weights, true for Kinetics-400, or the path of a file.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: A size that does not fit, or weights that cannot be had or do not fit.
        """
        super().__init__()
        # Here, because it takes seconds.
        from torchvision.models.video import MViT_V2_S_Weights, mvit_v2_s

        self.width, self.tubelet = width, (2, 32, 32)
        self.grid = grid_of(frames=frames, size=size, tubelet=self.tubelet)
        self.mvit = mvit_v2_s(stochastic_depth_prob=0.0)
        self.mvit.head = nn.Identity()
        weights = MViT_V2_S_Weights.KINETICS400_V1
        self.normalize = _normalize(weights)
        self.kept = {}
        if kept is None:
            _load(self.mvit, pretrained, url=weights.url, head="head.")
        make_repeatable(self.mvit, trained=pretrained is not False)
        self.project = nn.Linear(768, width)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of the last stage, without the class token."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the last stage's own tokens, without the class token."""
        assert keep is None
        maps = self.mvit.conv_proj(self.normalize(clips))
        tokens = self.mvit.pos_encoding(rearrange(maps, "clip width t y x -> clip (t y x) width"))
        grid = tuple(maps.shape[2:])
        for block in self.mvit.blocks:
            tokens, grid = block(tokens, grid)
        return self.mvit.norm(tokens)[:, 1:]

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Project them."""
        return self.project(features)


class R3D18(PretrainedVideo):
    """R3D-18: a residual network whose filters reach over time.

    Source: Tran et al. 2018, arXiv:1711.11248; the layers are torchvision's.
    """

    drops_tokens = False
    trunk = "stages"

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: bool | str = False,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the encoder.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip; a multiple of 8.
            size: Rows, and columns, of a frame; a multiple of 16.
            channels: 3, or 1 for gray, which is shown to all three.
            pretrained: False for random weights, true for Kinetics-400, or the path of a file.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: A size that does not fit, or weights that cannot be had or do not fit.
        """
        super().__init__()
        # Here, because it takes seconds.
        from torchvision.models.video import R3D_18_Weights, r3d_18

        self.width, self.tubelet = width, (8, 16, 16)
        self.grid = grid_of(frames=frames, size=size, tubelet=self.tubelet)
        resnet = r3d_18()
        resnet.avgpool = resnet.fc = nn.Identity()
        weights = R3D_18_Weights.KINETICS400_V1
        self.normalize = _normalize(weights)
        self.kept = {}
        if kept is None:
            _load(resnet, pretrained, url=weights.url, head="fc.")
        make_repeatable(resnet, trained=pretrained is not False)
        self.stages = nn.Sequential(
            resnet.stem, resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        )
        self.norm = nn.LayerNorm(512)
        self.project = nn.Linear(512, width)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the positions of the last stage."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the last stage's channels at each position."""
        assert keep is None
        maps = self.stages(self.normalize(clips))
        return rearrange(maps, "clip width t y x -> clip (t y x) width")

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Project them."""
        return self.project(self.norm(features))


def _normalize(weights: Any) -> Normalize:
    """Return what the weights were trained behind."""
    preset = weights.transforms()
    return Normalize(preset.mean, preset.std)


def _load(module: nn.Module, pretrained: bool | str, *, url: str, head: str) -> None:
    """Load weights without their classifier, if any are asked for.

    Raises:
        UserError: The weights cannot be had or do not fit.
    """
    if pretrained is False:
        return
    path = Path(pretrained) if isinstance(pretrained, str) else _download(url)
    weights = {
        name: value for name, value in read_weights(path).items() if name[: len(head)] != head
    }
    load_all(module, weights, source=str(path))


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
                f"{name} is not to be had ({type(error).__name__}); download {url} on a machine "
                f"with a network and place it at {path}"
            ) from error
    return path
