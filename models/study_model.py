"""What a trained module that knows studies and reports can do, whatever it is made of."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.models.closed_form import ClosedForm
from cinelex.models.contracts import (
    CaptionDecoder,
    PretrainedText,
    PretrainedVideo,
    TextEncoder,
    VideoEncoder,
)
from cinelex.models.embedding import unit_rows
from cinelex.models.shapes import (
    ClipFeatures,
    Clips,
    Memory,
    MemoryMask,
    TokenFeatures,
    TokenIds,
    TokenMask,
    TrunkFeatures,
)
from cinelex.models.temperature import Temperature
from cinelex.models.text_buckets import Buckets, rows_of, stacked
from cinelex.models.views import Shown


@dataclass(frozen=True)
class EncodedStudies:
    """Studies, as the losses and the caption decoder see them."""

    study: Float[Tensor, "study dim"]
    """Unit rows in the space that studies and reports share; fp32."""
    memory: Memory
    """What the caption decoder looks at: all tokens of all clips, padded, and before them, if the
    model is told so, the aggregated vector and the row of each clip."""
    attention_mask: MemoryMask
    """True where ``memory`` holds something."""
    first_token: int
    """Where in ``memory`` the tokens begin."""
    ragged: bool
    """False where ``attention_mask`` is known to be True everywhere without asking the device."""
    facts: Float[Tensor, "study fact"] | None = None
    """What the heads found, in standard deviations from the mean; None where there are none."""
    views: Float[Tensor, "clip view"] | None = None
    """Logits of the view that each clip shows; None where nothing reads it."""

    @property
    def tokens(self) -> Memory:
        """Return the tokens of all clips, the last part of ``memory``."""
        return self.memory[:, self.first_token :]

    @property
    def token_mask(self) -> MemoryMask:
        """Return True where ``tokens`` holds something."""
        return self.attention_mask[:, self.first_token :]

    @property
    def mask(self) -> MemoryMask | None:
        """What hides padding from attention; None where there is none, which is faster."""
        return self.attention_mask if self.ragged else None


@dataclass(frozen=True)
class EncodedReports:
    """Reports, as the losses see them."""

    report: Float[Tensor, "study dim"]
    """Unit rows in the space that studies and reports share; fp32."""
    token_features: TokenFeatures
    """Features of each token; those of padding mean nothing."""


@dataclass(frozen=True)
class Kept:
    """What frozen trunks made of clips and reports, which are then not looked at; or None."""

    clips: ClipFeatures | None = None
    texts: TrunkFeatures | None = None
    shown: Shown | None = None
    """How clips were filmed, which is looked at beside them."""
    buckets: Buckets = ()
    """Groups that the reports are encoded in; all at once if empty."""


NOTHING = Kept()


def with_trunk(encoder: VideoEncoder, clips: Clips, kept: Kept) -> Kept:
    """Return what is known of clips, and what the pretrained part of an encoder makes of them."""
    if kept.clips is not None:
        return kept
    assert isinstance(encoder, PretrainedVideo)
    return replace(kept, clips=encoder.features(clips))


@dataclass(frozen=True)
class MatchedOutputs:
    """What one forward pass hands to a contrastive loss; a model adds what its other terms need."""

    study: Float[Tensor, "study dim"]
    """Unit rows; fp32."""
    report: Float[Tensor, "study dim"]
    """Unit rows; fp32."""
    temperature: Float[Tensor, ""]
    """Divides the cosines."""
    bias: Float[Tensor, ""] | None
    """Added to the logits of the sigmoid loss."""


class StudyModel(nn.Module, ABC):
    """Brings studies and reports into one space, and may write reports."""

    dim: int
    """Dimension of the space that studies and reports share."""
    video_encoder: VideoEncoder
    """From clips to tokens."""
    caption_decoder: CaptionDecoder | None
    """From what a study leaves in memory to its report."""
    text_encoder: TextEncoder
    """From tokens to reports."""
    report_head: nn.Module
    """From a report's row to the shared space."""
    temperature: Temperature
    """Divides the cosines."""
    bias: nn.Parameter | None
    """Added to the logits of the sigmoid loss."""

    def __init__(self) -> None:
        """Begin without a closed form."""
        super().__init__()
        self.closed_form: ClosedForm | None = None

    @abstractmethod
    def encode_clips(self, clips: Clips, kept: Kept = NOTHING) -> Float[Tensor, "clip *feature"]:
        """Return what a study is made of, of each clip by itself: its tokens, or its latent.

        Args:
            clips: Standardised pixels.
            kept: What is known of them beside their pixels.
        """

    @abstractmethod
    def join_clips(
        self,
        features: Float[Tensor, "clip *feature"],
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
    ) -> EncodedStudies:
        """Return the vector of each study, and what the caption decoder looks at.

        Args:
            features: What `encode_clips` returned for all clips of all studies.
            owner: The study that each clip belongs to.
            studies: Number of studies.
            max_clips: Clips of the study that has most, where the caller knows, and knows that
                ``owner`` never falls; None finds out, and waits for the device.
        """

    def encode_study(
        self,
        clips: Clips,
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
        kept: Kept = NOTHING,
    ) -> EncodedStudies:
        """Return each study's vector and memory from standardised pixels, as `join_clips` does.

        At evaluation the vector hears the closed form, where there is one.
        """
        form = self._heard(clips)
        if form is not None and form.trunk:
            kept = with_trunk(self.video_encoder, clips, kept)
        features = self.encode_clips(clips, kept)
        return self.finish_study(
            features, clips, owner, studies=studies, max_clips=max_clips, kept=kept
        )

    def _heard(self, clips: Clips) -> ClosedForm | None:
        """Return the closed form, if any; None in training, and where its pixels were not read."""
        form = None if self.training else self.closed_form
        unread = form is not None and form.clips and not clips.numel()
        return None if unread else form

    def finish_study(
        self,
        features: Float[Tensor, "clip *feature"],
        clips: Clips,
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
        kept: Kept = NOTHING,
    ) -> EncodedStudies:
        """Return what `encode_study` does, where `encode_clips` has done its part already."""
        found = self.join_clips(features, owner, studies=studies, max_clips=max_clips)
        form = self._heard(clips)
        if form is None:
            return found
        if form.trunk:
            kept = with_trunk(self.video_encoder, clips, kept)
        inputs = form.inputs_of(clips, owner, kept.clips, studies=studies, max_clips=max_clips)
        return replace(found, study=form(found.study, inputs))

    def encode_report(
        self,
        token_ids: TokenIds,
        attention_mask: TokenMask,
        kept: TrunkFeatures | None = None,
        buckets: Buckets = (),
    ) -> EncodedReports:
        """Return the vector and the tokens of each report.

        Args:
            token_ids: The tokenizer's ids.
            attention_mask: True where there is a token.
            kept: What the frozen trunk of the text encoder made of the tokens, or of all in a row.
            buckets: Groups that are encoded one after the other.
        """
        if buckets and kept is None:
            groups = [
                self.encode_report(token_ids[rows, :tokens], attention_mask[rows, :tokens])
                for rows, tokens in rows_of(buckets)
            ]
            parts = [group.token_features for group in groups]
            return EncodedReports(
                report=torch.cat([group.report for group in groups]),
                token_features=stacked(parts, tokens=token_ids.shape[1]),
            )
        if kept is None:
            features = self.text_encoder(token_ids, attention_mask)
        else:
            assert isinstance(self.text_encoder, PretrainedText)
            features = self.text_encoder.tokens(kept)
            attention_mask = attention_mask[:, : features.shape[1]]
        pooled = self.text_encoder.pool(features, attention_mask)
        return EncodedReports(report=unit_rows(self.report_head(pooled)), token_features=features)
