"""The models a config may name: for each kind of part, its name and its class.

The project gives ``width``, ``frames``, ``size``, ``channels``, ``vocab``, ``max_tokens``,
``memory_width``, ``output``, ``grid``, ``tokens``, ``facts`` and ``latent``; all other keyword
arguments are options of the config.
"""

from cinelex.models.aggregators import (
    AttentionPoolingAggregator,
    ClassTokenAggregator,
    GatedAttentionAggregator,
    MeanAggregator,
    ViewAttentionAggregator,
)
from cinelex.models.caption_decoder import TransformerCaptionDecoder
from cinelex.models.contracts import (
    Aggregator,
    CaptionDecoder,
    FactHeads,
    ImageDecoder,
    LatentHead,
    MaskedDecoder,
    TextEncoder,
    VideoEncoder,
)
from cinelex.models.conv_image import ConvImage
from cinelex.models.conv_net import ConvNet
from cinelex.models.fact_heads import AttentionFacts, SideBySideFacts
from cinelex.models.huggingface_text import HuggingFaceText
from cinelex.models.image_decoder import ConvImageDecoder
from cinelex.models.latent_heads import PositionLatent
from cinelex.models.masked_decoder import TransformerMaskedDecoder
from cinelex.models.open_clip_towers import OpenClipImage, OpenClipText
from cinelex.models.terms_and_sentences import TermsAndSentences
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.tfidf_text import TfidfText
from cinelex.models.timm_video import TimmVideo
from cinelex.models.torchvision_video import R3D18, MViTV2S
from cinelex.models.transformers_video import VideoMAE
from cinelex.models.transformers_vision import TransformersVision
from cinelex.models.video_vit import VideoViT

VIDEO_ENCODERS: dict[str, type[VideoEncoder]] = {
    "vit": VideoViT,
    "conv": ConvImage,
    "conv_net": ConvNet,
    "open_clip": OpenClipImage,
    "timm": TimmVideo,
    "mvit_v2_s": MViTV2S,
    "r3d_18": R3D18,
    "transformers": TransformersVision,
    "videomae": VideoMAE,
}
AGGREGATORS: dict[str, type[Aggregator]] = {
    "mean": MeanAggregator,
    "gated_attention": GatedAttentionAggregator,
    "attention_pooling": AttentionPoolingAggregator,
    "class_token": ClassTokenAggregator,
    "view_attention": ViewAttentionAggregator,
}
TEXT_ENCODERS: dict[str, type[TextEncoder]] = {
    "transformer": TextTransformer,
    "tfidf": TfidfText,
    "huggingface": HuggingFaceText,
    "terms_and_sentences": TermsAndSentences,
    "open_clip": OpenClipText,
}
CAPTION_DECODERS: dict[str, type[CaptionDecoder]] = {"transformer": TransformerCaptionDecoder}
MASKED_DECODERS: dict[str, type[MaskedDecoder]] = {"transformer": TransformerMaskedDecoder}
FACT_HEADS: dict[str, type[FactHeads]] = {
    "side_by_side": SideBySideFacts,
    "attention": AttentionFacts,
}
LATENT_HEADS: dict[str, type[LatentHead]] = {"positions": PositionLatent}
IMAGE_DECODERS: dict[str, type[ImageDecoder]] = {"conv": ConvImageDecoder}
