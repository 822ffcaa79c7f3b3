"""The whole latent captioner: a picture becomes one latent, and words and pixels come from it."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.aggregators import MeanAggregator
from cinelex.models.caption_decoder import Costs, captioned
from cinelex.models.contracts import (
    CaptionDecoder,
    ImageDecoder,
    LatentHead,
    TextEncoder,
    VideoEncoder,
)
from cinelex.models.embedding import embedding_head, unit_rows
from cinelex.models.shapes import Clips, Latents, Logits, TokenIds, TokenMask
from cinelex.models.study_model import NOTHING, EncodedStudies, Kept, MatchedOutputs, StudyModel
from cinelex.models.temperature import Temperature
from cinelex.models.text_buckets import Buckets


@dataclass(frozen=True)
class LatentOutputs(MatchedOutputs):
    """What one forward pass hands to the losses."""

    latent: Latents
    """One row a picture."""
    caption_logits: Logits | None
    """At each token, the logits of the token that follows it; None over a large vocabulary."""
    reconstruction: Clips
    """Standardised pixels, made from the latent alone."""
    caption_costs: Costs | None = None
    """Over a large vocabulary, in place of the logits: -log p of each token but the first."""


class LatentCaptioner(StudyModel):
    """Encode pictures to latents; caption, rebuild and align from nothing but these.

    Every position of the caption, in every block of its decoder, looks at what the latent says. A
    study of several pictures is the mean of their latents; each picture is rebuilt from its own.
    """

    caption_decoder: CaptionDecoder

    def __init__(
        self,
        *,
        image_encoder: VideoEncoder,
        latent_head: LatentHead,
        caption_decoder: CaptionDecoder,
        image_decoder: ImageDecoder,
        text_encoder: TextEncoder,
        dim: int,
        memory_tokens: int,
        memory_width: int,
        temperature: Temperature,
        bias: float | None = None,
    ) -> None:
        """Join the parts.

        Args:
            image_encoder: From pictures, which are clips, to tokens.
            latent_head: From tokens to latents.
            caption_decoder: From what a latent says to the report.
            image_decoder: From latents to pictures.
            text_encoder: From tokens to reports.
            dim: Dimension of the space that studies and reports share.
            memory_tokens: Tokens that a latent is spread over for the caption decoder.
            memory_width: Embedding dimension of each.
            temperature: Divides their cosines.
            bias: Where the bias of the sigmoid loss starts; None for losses without one.
        """
        super().__init__()
        self.dim = dim
        # one unit for all encoders, in which pictures are augmented and rebuilt
        image_encoder.normalize.expect(mean=PIXEL_MEAN, std=PIXEL_STD)
        self.image_encoder, self.latent_head = image_encoder, latent_head
        self.caption_decoder, self.image_decoder = caption_decoder, image_decoder
        self.text_encoder = text_encoder
        self.mean = MeanAggregator(width=latent_head.latent)
        self.memory_width = memory_width
        self.to_memory = nn.Linear(latent_head.latent, memory_tokens * memory_width)
        self.study_head = embedding_head(latent_head.latent, dim)
        self.report_head = embedding_head(text_encoder.width, dim)
        self.temperature = temperature
        self.bias = None if bias is None else nn.Parameter(torch.tensor([bias]))

    def forward(
        self,
        clips: Clips,
        owner: Int[Tensor, " clip"],
        token_ids: TokenIds,
        attention_mask: TokenMask,
        buckets: Buckets = (),
    ) -> LatentOutputs:
        """Run every part once.

        Args:
            clips: Standardised pixels of all pictures of all studies.
            owner: The study that each picture belongs to.
            token_ids: The report of each study.
            attention_mask: True where there is a token.
            buckets: Groups that the reports are read in.
        """
        latent = self.encode_clips(clips)
        studies = self.read_latent(self.mean(latent, owner, studies=len(token_ids)))
        seen = studies.memory, studies.mask
        logits, costs = captioned(self.caption_decoder, token_ids, *seen, buckets)
        return LatentOutputs(
            study=studies.study,
            report=self.encode_report(token_ids, attention_mask, None, buckets).report,
            temperature=self.temperature(),
            bias=None if self.bias is None else self.bias.squeeze(),
            latent=latent,
            caption_logits=logits,
            caption_costs=costs,
            reconstruction=self.image_decoder(latent),
        )

    def encode_clips(self, clips: Clips, kept: Kept = NOTHING) -> Latents:
        """Return the latent of each picture, which asks for its pixels."""
        assert kept.clips is None
        return self.latent_head(self.image_encoder(clips))

    def read_latent(self, latent: Float[Tensor, "study latent"]) -> EncodedStudies:
        """Return what latents say to the alignment and to the caption decoder."""
        memory = rearrange(
            self.to_memory(latent),
            "study (token width) -> study token width",
            width=self.memory_width,
        )
        return EncodedStudies(
            study=unit_rows(self.study_head(latent)),
            memory=memory,
            attention_mask=torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device),
            first_token=0,
            ragged=False,
        )

    def join_clips(
        self,
        features: Latents,
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
    ) -> EncodedStudies:
        """Return the vector of each study and what its latent says to the caption decoder."""
        return self.read_latent(self.mean(features, owner, studies=studies))
