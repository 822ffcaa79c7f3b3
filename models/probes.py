"""Probes: poolings of the same frozen features, each with heads of its own."""

from collections.abc import Iterator, Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.contracts import Aggregator, PretrainedVideo, VideoEncoder
from cinelex.models.normalize import Normalize
from cinelex.models.shapes import ClipFeatures, Clips, ClipTokens, Keep, Rows


class FrozenVideo(PretrainedVideo):
    """A video encoder as it is: all of it is trunk, so that its tokens can be kept."""

    trunk = "encoder"

    def __init__(self, encoder: VideoEncoder) -> None:
        """Freeze an encoder.

        Args:
            encoder: Any; it has its weights.
        """
        super().__init__()
        self.encoder = encoder.requires_grad_(False)
        self.width, self.grid, self.tubelet = encoder.width, encoder.grid, encoder.tubelet
        self.drops_tokens = encoder.drops_tokens
        self.arrival, self.pixels = encoder.arrival, encoder.pixels

    @property
    def normalize(self) -> Normalize:  # type: ignore[override]
        """Return the encoder's own."""
        return self.encoder.normalize

    def train(self, mode: bool = True) -> "FrozenVideo":
        """Stay in evaluation mode: nothing in here may drop out or move."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip."""
        return self.tokens(self.features(clips, keep))

    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return the encoder's tokens; no gradient passes."""
        with torch.no_grad():
            return self.encoder(clips, keep)

    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Return them as they are."""
        return features


class Standardise(nn.Module):
    """Subtract a mean and divide by a deviation that were measured once; the identity before."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        """Begin as the identity."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))

    @torch.no_grad()
    def fit(self, rows: Float[Tensor, "row width"]) -> None:
        """Take both from rows; a number that never changes keeps its size."""
        self.mean.copy_(rows.mean(dim=0))
        spread = rows.std(dim=0, correction=0)
        self.deviation.copy_(torch.where(spread > 1e-6 * self.mean.abs(), spread, 1.0))

    def forward(self, rows: Float[Tensor, "row width"]) -> Float[Tensor, "row width"]:
        """Return the rows in deviations from the mean."""
        return (rows.float() - self.mean) / self.deviation


class Probe(nn.Module):
    """A pooling over all tokens of a study and a linear map to the outputs of all heads."""

    def __init__(self, pooling: Aggregator, *, width: int, outputs: int, learned: bool) -> None:
        """Begin where every head answers its prior.

        Args:
            pooling: From tokens to a vector a study.
            width: Embedding dimension of a token.
            outputs: Dimension that the heads need.
            learned: Whether the pooling learns. What does not is standardised behind it.
        """
        super().__init__()
        self.pooling, self.learned = pooling, learned
        self.standardise = Standardise(width)
        self.head = nn.Linear(width, outputs)
        nn.init.trunc_normal_(self.head.weight, std=0.01)

    def rows(
        self, tokens: Rows, owner: Int[Tensor, " row"], *, studies: int
    ) -> Float[Tensor, "pooled width"]:
        """Return what is standardised: tokens, or what a fixed pooling makes of them."""
        return tokens if self.learned else self.pooling(tokens, owner, studies=studies)

    def forward(
        self,
        tokens: Rows,
        owner: Int[Tensor, " row"],
        *,
        studies: int,
        max_clips: int | None = None,
    ) -> Float[Tensor, "study output"]:
        """Return the outputs of all heads; arguments are those of an aggregator."""
        rows = self.standardise(self.rows(tokens, owner, studies=studies))
        if self.learned:
            rows = self.pooling(rows, owner, studies=studies, max_clips=max_clips)
        return self.head(rows)


class Probes(nn.Module):
    """An encoder and several probes of it, which see the same tokens of the same batches."""

    def __init__(self, encoder: VideoEncoder, probes: Mapping[str, Probe]) -> None:
        """Join them.

        Args:
            encoder: Frozen, as `FrozenVideo`, or not.
            probes: By name.
        """
        super().__init__()
        # the unit of pixels in all projects
        encoder.normalize.expect(mean=PIXEL_MEAN, std=PIXEL_STD)
        self.video_encoder = encoder
        self.probes = nn.ModuleDict(probes)

    def named(self) -> Iterator[tuple[str, Probe]]:
        """Yield every probe by its name."""
        for name, probe in self.probes.items():
            assert isinstance(probe, Probe)
            yield name, probe

    def tokens(self, clips: Clips, features: ClipFeatures | None = None) -> ClipTokens:
        """Return the tokens of each clip, from pixels or from what was kept."""
        if features is None:
            return self.video_encoder(clips)
        assert isinstance(self.video_encoder, PretrainedVideo)
        return self.video_encoder.tokens(features)

    def forward(
        self,
        clips: Clips,
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
        features: ClipFeatures | None = None,
    ) -> Float[Tensor, "study probe output"]:
        """Return what every probe says of every study.

        Args:
            clips: Standardised pixels of all clips of all studies.
            owner: The study that each clip belongs to; never falls.
            studies: Number of studies.
            max_clips: Clips of the study with most; None finds out.
            features: What a frozen encoder made of the clips, in place of pixels.
        """
        tokens = self.tokens(clips, features)
        among = tokens.shape[1]
        rows, whose = tokens.flatten(0, 1), owner.repeat_interleave(among)
        most = None if max_clips is None else max_clips * among
        return torch.stack(
            [probe(rows, whose, studies=studies, max_clips=most) for _, probe in self.named()],
            dim=1,
        )
