"""Video encoders of torchvision, with their tokens instead of their classes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from einops import rearrange
from torch import nn

from cinelex.models.arrival import KeyMap
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import make_repeatable
from cinelex.models.normalize import Levels
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep
from cinelex.models.torchvision_weights import embedding_of, of_head, read_file, set_pixels, take
from cinelex.models.tubelets import grid_of


class MViTV2S(PretrainedVideo):
    """MViT-v2-S: attention that pools space as it goes deeper.

    Made for 16 frames of 224; for other sizes its relative positions are interpolated. A file may
    end in an embedding instead of classes, as EchoPrime's does: ``output=embedding`` takes it.

    Source: Li et al. 2022, arXiv:2112.01526; the layers are torchvision's. Vukadinovic et al. 2024,
    EchoPrime, arXiv:2410.09704.
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: bool | str = False,
        output: Literal["tokens", "embedding"] = "tokens",
        key_map: KeyMap | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the encoder.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip; a multiple of 2.
            size: Rows, and columns, of a frame; a multiple of 32.
            channels: 3, or 1 for gray, which is shown to all three.
            pretrained: False for random weights, true for Kinetics-400, or the path of a file.
            output: The tokens of the last stage, or the file's own embedding: one token a clip.
            key_map: How the file's names become torchvision's: ``order``, or patterns.
            mean: Of the levels in [0, 1] that the file was trained on; None takes Kinetics'.
            std: Their deviation.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: A size that does not fit, or weights that cannot be had or do not fit.
        """
        super().__init__()
        # Here, because it takes seconds.
        from torchvision.models.video import MViT_V2_S_Weights, mvit_v2_s

        cut = (2, 32, 32)
        self.width, self.grid = width, grid_of(frames=frames, size=size, tubelet=cut)
        self.tubelet = cut
        self.mvit: Any = mvit_v2_s(stochastic_depth_prob=0.0)
        weights = MViT_V2_S_Weights.KINETICS400_V1
        found = read_file(pretrained, url=weights.url) if kept is None else None
        self.kept = {"embedding": embedding_of(found, kept) if output == "embedding" else None}
        native: int = self.kept["embedding"] or 768
        self.mvit.head = nn.Linear(768, native) if output == "embedding" else nn.Identity()
        self.output = output
        if output == "embedding":
            self.grid, self.tubelet = (1, 1, 1), (frames, size, size)
        take(self, self.mvit, found, key_map=of_head(key_map, output))
        self.trunk = "mvit" if pretrained is not False else ""
        made_for = (16, 224)
        if self.arrival is not None and (frames, size) != made_for:
            grids = " to ".join(
                "x".join(map(str, grid_of(frames=f, size=s, tubelet=cut)))
                for f, s in (made_for, (frames, size))
            )
            self.arrival = replace(
                self.arrival, interpolated={"relative positions": f"from {grids} tokens"}
            )
        set_pixels(self, weights, pretrained, mean=mean, std=std)
        make_repeatable(self.mvit, trained=pretrained is not False)
        whole = output == "embedding" and native == width
        self.native = native
        self.project = nn.Identity() if whole else nn.Linear(native, width)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of the last stage, without the class token, or the embedding."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the last stage's own tokens, without the class token, or the embedding."""
        assert keep is None
        maps = self.mvit.conv_proj(self.normalize(clips))
        tokens = self.mvit.pos_encoding(rearrange(maps, "clip width t y x -> clip (t y x) width"))
        grid = tuple(maps.shape[2:])
        for block in self.mvit.blocks:
            tokens, grid = block(tokens, grid)
        tokens = self.mvit.norm(tokens)
        # its class token is what the head reads
        read = tokens[:, 1:] if self.output == "tokens" else tokens[:, :1]
        return self.mvit.head(read)

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Project them where the width is another."""
        return self.project(features)


class R3D18(PretrainedVideo):
    """R3D-18: a residual network whose filters reach over time.

    Source: Tran et al. 2018, arXiv:1711.11248; the layers are torchvision's.
    """

    drops_tokens = False

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        pretrained: bool | str = False,
        key_map: KeyMap | None = None,
        mean: Levels | None = None,
        std: Levels | None = None,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the encoder.

        Args:
            width: Embedding dimension of a token.
            frames: Frames a clip; a multiple of 8.
            size: Rows, and columns, of a frame; a multiple of 16.
            channels: 3, or 1 for gray, which is shown to all three.
            pretrained: False for random weights, true for Kinetics-400, or the path of a file.
            key_map: How the file's names become torchvision's: ``order``, or patterns.
            mean: Of the levels in [0, 1] that the file was trained on; None takes Kinetics'.
            std: Their deviation.
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
        self.kept = {}
        found = read_file(pretrained, url=weights.url) if kept is None else None
        take(self, resnet, found, key_map=key_map)
        self.trunk = "stages" if pretrained is not False else ""
        set_pixels(self, weights, pretrained, mean=mean, std=std)
        make_repeatable(resnet, trained=pretrained is not False)
        self.stages = nn.Sequential(
            resnet.stem, resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4
        )
        self.norm = nn.LayerNorm(512)
        self.native = 512
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
