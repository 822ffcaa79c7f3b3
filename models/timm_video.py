"""Any image backbone of timm on each frame, and a transformer over the frames."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor, nn

from cinelex.core.errors import UserError, refusing
from cinelex.models.blocks import Block, start_small
from cinelex.models.contracts import PretrainedVideo
from cinelex.models.foreign import make_repeatable, read_weights
from cinelex.models.normalize import Normalize
from cinelex.models.positions import GridPositions
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep


class TimmVideo(PretrainedVideo):
    """Turn each frame into one token with an image backbone; the tokens attend to each other."""

    drops_tokens = False
    trunk = "backbone"

    def __init__(
        self,
        *,
        width: int,
        frames: int,
        size: int,
        channels: int,
        backbone: str = "resnet18",
        pretrained: bool | str = False,
        depth: int = 2,
        heads: int = 4,
        mlp_ratio: float = 4.0,
        kept: Mapping[str, Any] | None = None,
    ) -> None:
        """Make the backbone and the blocks over time.

        Args:
            width: Embedding dimension of a token; a multiple of ``heads``.
            frames: Frames a clip, and so tokens.
            size: Rows, and columns, of a frame.
            channels: 3, or 1 for gray, which is shown to all three.
            backbone: A name that ``timm.list_models`` knows.
            pretrained: False for random weights, true for those that timm has (from its cache, or
                downloaded), or the path of a safetensors or torch file.
            depth: Transformer blocks over time.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
            kept: What a run kept of it; nothing is loaded then: a checkpoint has its weights.

        Raises:
            UserError: An unknown backbone, or weights that cannot be had or do not fit.
        """
        super().__init__()
        self.width, self.grid, self.tubelet = width, (frames, 1, 1), (1, size, size)
        self.kept = {}
        self.backbone = _backbone(backbone, False if kept is not None else pretrained, size=size)
        statistics: Any = self.backbone.pretrained_cfg
        self.normalize = Normalize(statistics["mean"], statistics["std"])
        make_repeatable(self.backbone, trained=pretrained is not False)
        features = _features(self.backbone, backbone, size=size)
        self.project = nn.Linear(features, width)
        self.positions = GridPositions(width=width, grid=self.grid)
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        start_small(self.project)
        start_small(self.blocks)

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return one token a frame."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the backbone's row of each frame."""
        assert keep is None
        frames = rearrange(
            self.normalize(clips),
            "clip channel frame row column -> (clip frame) channel row column",
        )
        return self.backbone(frames).unflatten(0, (len(clips), -1))

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Let the frames of each clip attend to each other."""
        tokens = self.project(features) + self.positions()
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)


def _features(backbone: nn.Module, name: str, *, size: int) -> int:
    """Return how many features a frame has, by looking at one.

    Raises:
        UserError: The backbone cannot read frames of this size, or makes no row of them.
    """
    training = backbone.training
    with torch.no_grad(), refusing(f"the backbone {name} cannot read frames of {size} pixels"):
        row: Tensor = backbone.eval()(torch.zeros(1, 3, size, size))
    backbone.train(training)
    if row.ndim != 2:
        raise UserError(f"the backbone {name} makes no row of a frame; choose another")
    return row.shape[1]


def _backbone(name: str, pretrained: bool | str, *, size: int) -> nn.Module:
    """Return the image backbone without its classifier."""
    # Here, because it takes seconds and only this encoder needs it.
    import timm

    if not timm.is_model(name.partition(".")[0]):
        near = difflib.get_close_matches(name.split(".")[0], timm.list_models(), n=3)
        raise UserError(f"timm has no backbone {name!r}; the nearest names are {near}")
    tags = timm.list_models(name.partition(".")[0], pretrained=True)
    if "." in name and name not in tags:
        raise UserError(f"timm has no weights {name!r}; there are {', '.join(tags) or 'none'}")
    options: dict[str, Any] = {"num_classes": 0}
    config = timm.get_pretrained_cfg(name)
    if config is not None and config.fixed_input_size:
        options["img_size"] = size
    if isinstance(pretrained, str):
        return _from_file(name, Path(pretrained), options)
    if not pretrained:
        with refusing(f"the backbone {name} cannot be built for frames of {size} pixels"):
            blank: nn.Module = timm.create_model(name, **options)
        return blank
    try:
        backbone: nn.Module = timm.create_model(name, pretrained=True, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(
            f"the weights of {name} are not to be had ({type(error).__name__}); download "
            f"{getattr(config, 'hf_hub_id', None) or name} (model.safetensors) on a machine with "
            "a network, and set pretrained to the path of that file"
        ) from error
    return backbone


def _from_file(name: str, path: Path, options: dict[str, Any]) -> nn.Module:
    """Return the backbone with the weights of a file, and make sure that all came from there."""
    import timm

    overlay = {"state_dict": read_weights(path), "hf_hub_id": None, "custom_load": False}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        blank = timm.create_model(name, **options)
        torch.manual_seed(0)
        try:
            backbone: nn.Module = timm.create_model(
                name, pretrained=True, pretrained_cfg_overlay=overlay, **options
            )
        except (RuntimeError, KeyError) as error:
            raise UserError(f"{path} does not fit the backbone {name}; choose its own") from error
    # timm fits weights to other sizes and channels, and is silent about those it did not find.
    start = blank.state_dict()
    untouched = [
        key
        for key, value in backbone.state_dict().items()
        if value.ndim > 1 and torch.equal(value, start[key])
    ]
    if untouched:
        raise UserError(f"{path} sets no {untouched[0]} of the backbone {name}; choose its own")
    return backbone
