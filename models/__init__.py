"""The models a config may name: for each kind of part, its name and its class.

The project gives ``width``, ``frames``, ``size``, ``channels``, ``vocab``, ``max_words``,
``memory_width``, ``output`` and ``grid``; all other keyword arguments are options of the config.
"""

from models.aggregators import (
    AttentionPoolingAggregator,
    ClassTokenAggregator,
    GatedAttentionAggregator,
    MeanAggregator,
)
from models.caption_decoder import TransformerCaptionDecoder
from models.contracts import Aggregator, CaptionDecoder, MaskedDecoder, TextEncoder, VideoEncoder
from models.masked_decoder import TransformerMaskedDecoder
from models.text_transformer import TextTransformer
from models.video_vit import VideoViT

VIDEO_ENCODERS: dict[str, type[VideoEncoder]] = {
    "vit": VideoViT,
}
AGGREGATORS: dict[str, type[Aggregator]] = {
    "mean": MeanAggregator,
    "gated_attention": GatedAttentionAggregator,
    "attention_pooling": AttentionPoolingAggregator,
    "class_token": ClassTokenAggregator,
}
TEXT_ENCODERS: dict[str, type[TextEncoder]] = {
    "transformer": TextTransformer,
}
CAPTION_DECODERS: dict[str, type[CaptionDecoder]] = {"transformer": TransformerCaptionDecoder}
MASKED_DECODERS: dict[str, type[MaskedDecoder]] = {"transformer": TransformerMaskedDecoder}
