"""The whole trainable model: videos and reports in, all that the losses need out."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.core.pixels import PIXEL_MEAN, PIXEL_STD
from cinelex.models.aggregators import ViewAttentionAggregator
from cinelex.models.caption_decoder import captioned
from cinelex.models.clip_pooling import MeanPooling, of_all_tokens
from cinelex.models.closed_form import ClosedForm
from cinelex.models.contracts import (
    Aggregator,
    CaptionDecoder,
    FactHeads,
    MaskedDecoder,
    PretrainedVideo,
    TextEncoder,
    VideoEncoder,
)
from cinelex.models.embedding import HeadsKind, embedding_head, embedding_heads, unit_rows
from cinelex.models.fact_heads import FactRows
from cinelex.models.latent_teacher import taught
from cinelex.models.masking import refuse_masking
from cinelex.models.packing import pad_rows
from cinelex.models.shapes import Clips, ClipTokens, TokenIds, TokenMask
from cinelex.models.study_model import NOTHING, EncodedStudies, Kept, StudyModel
from cinelex.models.temperature import Temperature
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.models.views import ViewEmbedding, see_views


class VideoText(StudyModel):
    """Encode the clips, aggregate them to a study, encode the report, caption and rebuild.

    All that trains lives in here and is used by ``forward``, so that one DistributedDataParallel
    synchronizes it. What is not needed is not built. What has a state and does not train, such as a
    teacher, travels in ``companions``: checkpoints hold it.
    """

    fact_mean: Tensor
    """Of each fact over the training reports, in its unit."""
    fact_std: Tensor
    """Of each fact over the training reports; 0 where it is not asked for."""

    def __init__(
        self,
        *,
        video_encoder: VideoEncoder,
        aggregator: Aggregator,
        text_encoder: TextEncoder,
        dim: int,
        temperature: Temperature,
        caption_decoder: CaptionDecoder | None = None,
        masked_decoder: MaskedDecoder | None = None,
        fact_heads: FactHeads | None = None,
        facts: int = 0,
        facts_in_memory: bool = False,
        heads: HeadsKind = "linear",
        dropout: float = 0.0,
        closed_form: ClosedForm | None = None,
        view_embedding: ViewEmbedding | None = None,
        patch_heads: bool = False,
        aggregate: Literal["clips", "tokens"] = "clips",
        clip_pooling: nn.Module | None = None,
        study_in_memory: bool = False,
        bias: float | None = None,
    ) -> None:
        """Join the parts.

        Args:
            video_encoder: From clips to tokens.
            aggregator: From clips, or tokens, to studies.
            text_encoder: From tokens to reports.
            dim: Dimension of the space that studies and reports share.
            temperature: Divides their cosines.
            caption_decoder: From the tokens of a study to its report.
            masked_decoder: From visible tokens to hidden tubelets.
            fact_heads: From the tokens of a study's clips to what its report states.
            facts: Numbers that they return.
            facts_in_memory: Show the caption decoder what they found, a row a fact.
            heads: As of `embedding_heads`.
            closed_form: What is added to a study's vector at evaluation; None adds nothing.
            view_embedding: What views and angles add to the tokens of a clip.
            dropout: Share of a study's numbers that the map does not see, drawn anew each time.
            patch_heads: Bring video tokens and text tokens into a shared space too.
            aggregate: What the aggregator is given: the mean of each clip, or all tokens.
            clip_pooling: From the tokens of a clip to its row; None takes their mean.
            study_in_memory: Show the aggregated vector, and each clip's row where there is one, to
                the caption decoder, beside the tokens.
            bias: Where the bias of the sigmoid loss starts, -ln(N - 1) for N studies; None for
                losses without one.

        Raises:
            ValueError: A masked decoder behind an encoder that cannot drop tokens, or no heads
                where the towers end in other spaces.
        """
        super().__init__()
        self.dim = dim
        if masked_decoder is not None:
            refuse_masking(video_encoder)
        # one unit for all encoders, in which clips are augmented and masked pixels are targets
        video_encoder.normalize.expect(mean=PIXEL_MEAN, std=PIXEL_STD)
        self.video_encoder = video_encoder
        self.aggregator, self.text_encoder = aggregator, text_encoder
        self.aggregate, self.view_embedding = aggregate, view_embedding
        self.clip_pooling = MeanPooling() if clip_pooling is None else clip_pooling
        self.study_in_memory = study_in_memory
        video_width, text_width = video_encoder.width, text_encoder.width
        self.study_head, self.report_head = embedding_heads(heads, video_width, text_width, dim=dim)
        self.dropout, self.closed_form = nn.Dropout(dropout), closed_form
        self.caption_decoder, self.masked_decoder = caption_decoder, masked_decoder
        self.fact_heads = fact_heads
        self.fact_rows = FactRows(facts=facts, width=video_width) if facts_in_memory else None
        if fact_heads is not None:
            self.register_buffer("fact_mean", torch.zeros(facts))
            self.register_buffer("fact_std", torch.zeros(facts))
        self.patch_head = embedding_head(video_width, dim) if patch_heads else None
        self.token_head = embedding_head(text_width, dim) if patch_heads else None
        self.temperature = temperature
        self.bias = None if bias is None else nn.Parameter(torch.tensor([bias]))
        self.companions = nn.ModuleDict()

    def forward(
        self,
        clips: Clips,
        owner: Int[Tensor, " clip"],
        token_ids: TokenIds,
        attention_mask: TokenMask,
        keep: Int[Tensor, "masked visible"] | None = None,
        hide: Int[Tensor, "masked hidden"] | None = None,
        masked: Int[Tensor, " masked"] | None = None,
        max_clips: int | None = None,
        kept: Kept = NOTHING,
        twins: tuple[Int[Tensor, "study twin"], Bool[Tensor, "study twin"]] | None = None,
    ) -> VideoTextOutputs:
        """Run every part that was built once.

        Args:
            clips: Standardised pixels of all clips of all studies.
            owner: The study that each clip belongs to.
            token_ids: The report of each study.
            attention_mask: True where there is a token.
            keep: The tokens that the encoder sees of each masked clip, as indices in t·y·x.
            hide: The tokens to predict. Without ``keep`` and ``hide`` nothing is masked.
            masked: The clips that are encoded a second time with tokens hidden; all if None.
            max_clips: Clips of the study with most, where ``owner`` never falls; None finds out.
            kept: What frozen trunks made of clips or reports.
            twins: Another report for each study, and where it has a token.
        """
        studies = self.encode_study(
            clips, owner, studies=len(token_ids), max_clips=max_clips, kept=kept
        )
        memory, buckets = studies.memory, kept.buckets
        reports = self.encode_report(token_ids, attention_mask, kept.texts, buckets)
        logits, costs = captioned(self.caption_decoder, token_ids, memory, studies.mask, buckets)
        seen, first = studies.attention_mask, studies.first_token
        return VideoTextOutputs(
            study=studies.study,
            report=reports.report,
            temperature=self.temperature(),
            bias=None if self.bias is None else self.bias.squeeze(),
            caption_logits=logits,
            caption_costs=costs,
            reconstruction=self.reconstruct(clips, keep=keep, hide=hide, masked=masked),
            latents=None if keep is None else taught(self.companions, clips, masked),
            patches=unit_rows(self.patch_head(memory[:, first:])) if self.patch_head else None,
            patch_mask=seen[:, first:] if self.patch_head else None,
            token_features=(
                unit_rows(self.token_head(reports.token_features)) if self.token_head else None
            ),
            facts=studies.facts,
            views=studies.views,
            twin=None if twins is None else self.encode_report(*twins).report,
        )

    def encode_clips(self, clips: Clips, kept: Kept = NOTHING) -> ClipTokens:
        """Return the tokens of each clip."""
        if kept.clips is None:
            tokens = self.video_encoder(clips)
        else:
            assert isinstance(self.video_encoder, PretrainedVideo)
            tokens = self.video_encoder.tokens(kept.clips)
        return see_views(tokens, self.view_embedding, kept.shown)

    def join_clips(
        self,
        features: ClipTokens,
        owner: Int[Tensor, " clip"],
        *,
        studies: int,
        max_clips: int | None = None,
    ) -> EncodedStudies:
        """Return the vector and the tokens of each study."""
        table, attention_mask = pad_rows(features, owner, studies=studies, max_clips=max_clips)
        memory = [table.flatten(1, 2)]
        seen = [attention_mask.repeat_interleave(features.shape[1], dim=1)]
        views = None
        if self.aggregate == "clips":
            rows = self.clip_pooling(features)
            if isinstance(self.aggregator, ViewAttentionAggregator):
                views = self.aggregator.views_of(rows)
            study = self.aggregator(rows, owner, studies=studies, max_clips=max_clips)
            if self.study_in_memory:
                padded, _ = pad_rows(rows, owner, studies=studies, max_clips=max_clips)
                memory.insert(0, padded.to(features.dtype))
                seen.insert(0, attention_mask)
        else:
            study = of_all_tokens(
                self.aggregator, features, owner, studies=studies, max_clips=max_clips
            )
        if self.study_in_memory:
            memory.insert(0, study[:, None].to(features.dtype))
            seen.insert(0, attention_mask.new_ones(studies, 1))
        facts = None if self.fact_heads is None else self.fact_heads(table, attention_mask)
        if self.fact_rows is not None:
            assert facts is not None
            memory.insert(0, self.fact_rows(facts).to(features.dtype))
            seen.insert(0, attention_mask.new_ones(memory[0].shape[:2]))
        return EncodedStudies(
            study=unit_rows(self.study_head(self.dropout(study))),
            memory=torch.cat(memory, dim=1),
            attention_mask=torch.cat(seen, dim=1),
            first_token=sum(part.shape[1] for part in memory[:-1]),
            ragged=attention_mask.numel() != owner.shape[0],
            facts=None if facts is None else facts.float(),
            views=views,
        )

    def reconstruct(
        self,
        clips: Clips,
        *,
        keep: Int[Tensor, "masked visible"] | None,
        hide: Int[Tensor, "masked hidden"] | None,
        masked: Int[Tensor, " masked"] | None = None,
    ) -> Float[Tensor, "masked predicted output"] | None:
        """Encode the visible tokens of the masked clips alone, and predict the hidden tubelets.

        Raises:
            ValueError: ``keep`` without ``hide`` or the reverse, or no decoder to use them.
        """
        if keep is None and hide is None:
            return None
        if keep is None or hide is None or self.masked_decoder is None:
            raise ValueError("masking takes keep, hide and a masked decoder; one is missing")
        chosen = clips if masked is None else clips[masked]
        return self.masked_decoder(self.video_encoder(chosen, keep), keep, hide)
