"""What each kind of part promises; a table in ``models/__init__.py`` lists the parts that keep it.

The classes here are abstract and hold no code: a part inherits names, shapes and promises, never
behaviour.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.models.arrival import Arrival
from cinelex.models.normalize import Normalize, Pixels
from cinelex.models.search import GREEDY, Constraint, Search
from cinelex.models.shapes import (
    ClipFeatures,
    Clips,
    ClipTokens,
    Keep,
    Latents,
    Logits,
    Memory,
    MemoryMask,
    Owner,
    Rows,
    Studies,
    TokenFeatures,
    TokenIds,
    TokenMask,
    TrunkFeatures,
)


class VideoEncoder(nn.Module, ABC):
    """From the pixels of a clip to a grid of tokens.

    The tokens of a clip depend on that clip alone, never on the others in the batch.
    """

    normalize: Normalize
    """What `forward` begins with: from levels to the statistics that the encoder was trained on."""
    width: int
    """Embedding dimension of a token."""
    grid: tuple[int, int, int]
    """Tokens along frames, rows and columns; token t·y·x of a clip stands at (t, y, x)."""
    tubelet: tuple[int, int, int]
    """Frames, rows and columns of pixels that one token starts from."""
    drops_tokens: bool
    """True where ``keep`` is understood, so that hidden tokens cost nothing and are never seen; to
    any other encoder nobody gives one."""
    kept: Mapping[str, Any] | None = None
    """JSON that builds it again for a checkpoint, without its source; None where options do."""
    trunk: str = ""
    """Dotted name in here of the part whose weights come from elsewhere; empty without one."""
    arrival: Arrival | None = None
    pixels: Pixels | None = None
    """What arrived in the trunk, where something was loaded, and what it was trained on."""

    @abstractmethod
    def forward(self, clips: Clips, keep: Keep | None = None) -> ClipTokens:
        """Return the tokens of each clip.

        Args:
            clips: Levels in [0, 1], unless ``normalize`` was told to expect others.
            keep: The tokens to embed and encode, as indices in t·y·x; all of them if None.
        """


class PretrainedVideo(VideoEncoder, ABC):
    """A video encoder in two parts: its trunk, and fresh layers behind it.

    ``forward`` is ``tokens`` of ``features``. Where the trunk is frozen, what it makes of a clip
    can be kept and given to ``tokens`` again.
    """

    native: int
    """Dimension of a row of ``features``."""

    @abstractmethod
    def features(self, clips: Clips, keep: Keep | None = None) -> ClipFeatures:
        """Return what the trunk makes of each clip; arguments are those of ``forward``."""

    @abstractmethod
    def tokens(self, features: ClipFeatures) -> ClipTokens:
        """Return the tokens of each clip from what the trunk made of it."""


class Aggregator(nn.Module, ABC):
    """From all rows of a study, clips or tokens, to one vector.

    Rows are packed: a study has the rows it has, so that nothing absent can have a say. Their order
    does not matter.
    """

    @abstractmethod
    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Pool the rows of each study.

        Args:
            rows: Rows of all studies, in any order.
            owner: The study, from 0, that each row belongs to; each study owns a row or more.
            studies: Number of studies.
            max_clips: Rows of the study that owns most, where the caller knows, and knows that
                ``owner`` never falls; who pads then need not wait for the device.
        """


class TextEncoder(nn.Module, ABC):
    """From the tokens of a report to a vector a token, and from those to one a report."""

    width: int
    """Embedding dimension of a token and of a report."""
    kept: Mapping[str, Any] | None = None
    """As of a video encoder."""
    trunk: str = ""
    arrival: Arrival | None = None
    """Both as of a video encoder."""

    @abstractmethod
    def forward(self, token_ids: TokenIds, attention_mask: TokenMask) -> TokenFeatures:
        """Return the features of each token; those of padding mean nothing.

        Args:
            token_ids: The tokenizer's ids.
            attention_mask: True where there is a token, False where there is padding.
        """

    @abstractmethod
    def pool(self, features: TokenFeatures, attention_mask: TokenMask) -> Studies:
        """Return one vector a report, from the features of the tokens that are not padding."""


class PretrainedText(TextEncoder, ABC):
    """A text encoder in two parts, as `PretrainedVideo` is."""

    @abstractmethod
    def features(self, token_ids: TokenIds, attention_mask: TokenMask) -> TrunkFeatures:
        """Return what the trunk makes of each token, which no padding has touched."""

    @abstractmethod
    def tokens(self, features: TrunkFeatures) -> TokenFeatures:
        """Return the features of each token from what the trunk made of it."""


class CaptionDecoder(nn.Module, ABC):
    """From the memory of a study and the tokens so far to the next token.

    Every position sees all of the memory that is not padding.
    """

    @abstractmethod
    def forward(
        self, token_ids: TokenIds, memory: Memory, attention_mask: MemoryMask | None
    ) -> Logits:
        """Return, at each token, the logits of the token that follows it.

        Args:
            token_ids: The report, from its first token on.
            memory: What the study left to look at, padded.
            attention_mask: True where ``memory`` holds something; None where all of it does.
        """

    @abstractmethod
    def generate(
        self,
        memory: Memory,
        attention_mask: MemoryMask | None,
        *,
        bos_id: int,
        eos_id: int,
        pad_id: int,
        max_tokens: int,
        constraint: Constraint | None = None,
        search: Search = GREEDY,
    ) -> TokenIds:
        """Write a report for each study, as ``search`` says, of tokens that are allowed.

        The result starts with ``bos_id``, holds at most ``max_tokens`` tokens, and is filled with
        ``pad_id`` after ``eos_id``.
        """


class MaskedDecoder(nn.Module, ABC):
    """From the visible tokens of a clip to what is in its hidden tubelets."""

    visible: bool
    """True where something is predicted of the visible tokens too."""

    @abstractmethod
    def forward(
        self,
        visible: Float[Tensor, "clip visible width"],
        keep: Keep,
        hide: Int[Tensor, "clip hidden"],
    ) -> Float[Tensor, "clip predicted output"]:
        """Return what is predicted of each hidden tubelet, behind each visible one if asked for.

        Args:
            visible: Tokens of the tubelets that the encoder saw.
            keep: Their indices in t·y·x.
            hide: The indices to predict.
        """


class LatentHead(nn.Module, ABC):
    """From the tokens of a picture to its latent: one vector, all that is passed on."""

    latent: int
    """Dimension of a latent."""
    fan_in: int
    """Inputs that each dimension of a latent is a weighted sum of."""

    @abstractmethod
    def forward(self, tokens: ClipTokens) -> Latents:
        """Return one latent a picture, with nothing after the last matrix."""


class ImageDecoder(nn.Module, ABC):
    """From a latent back to the pixels of the picture."""

    @abstractmethod
    def forward(self, latents: Latents) -> Clips:
        """Return normalized pixels."""


class FactHeads(nn.Module, ABC):
    """From the tokens of a study's clips to what its report states, in standard deviations.

    What is asked for, and the means and deviations that make numbers of it, the model around knows.
    """

    @abstractmethod
    def forward(
        self,
        tokens: Float[Tensor, "study clip token width"],
        attention_mask: Bool[Tensor, "study clip"],
    ) -> Float[Tensor, "study fact"]:
        """Return one standardised number a fact.

        Args:
            tokens: Of each clip, 0 where a study has no clip left.
            attention_mask: True where a study has a clip.
        """
