"""The sections of a config that say what is trained and by which losses."""

from typing import Annotated, Literal

from pydantic import Field

from cinelex.config.strict import Count, Frozen, Part, Strict, ValueOrSchedule
from cinelex.config.views_schema import ViewsConfig


class AdapterConfig(Strict):
    """Low-rank adapters (LoRA) on a tower, whose pretrained part is then frozen."""

    rank: Count = 8
    """Numbers between the two matrices of an adapter."""
    alpha: Count = 16
    """Times 1 / rank, the weight of what an adapter adds."""
    targets: str | None = None
    """Regular expression for the whole name, inside the pretrained part, of layers that get one;
    null takes the linear layers in blocks, or a convolutional net's convolutions of one pixel."""


class ClosedFormConfig(Strict):
    """Ridge regression to the reports' rows, solved once, that has its say beside the towers.

    It needs reports that stand still: a text encoder without trainable parameters, and
    ``heads: study``.
    """

    inputs: Literal["pixels", "features", "both"] = "pixels"
    """What it is solved on: the clips averaged down, the mean over a study of what the pretrained
    part of the video encoder makes of them, or both; where that part trains, at each validation."""
    share: Annotated[float, Field(gt=0.0, le=1.0)] | Literal["validated"] = 0.5
    """What it counts at evaluation against the towers; 1 leaves nothing of these. ``validated`` is
    what finds held-out studies best, from 1 down to a quarter, at each validation."""
    clips: Annotated[int, Field(ge=1, le=64)] = 4
    """Clips of a study, the first ones, whose pixels it sees."""


class ModelConfig(Strict):
    """The parts of the one trained module."""

    width: Count = 128
    """Embedding dimension of a token between the parts."""
    dim: Count = 128
    """Dimension of the space that videos and reports share."""
    heads: Literal["linear", "study", "none"] = "linear"
    """What brings studies and reports into the shared space; ``study`` leaves reports where their
    encoder puts them, and ``none`` towers that were trained together; then width and dim must be
    equal."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of a study's numbers that its map into the shared space does not see in training."""
    closed_form: ClosedFormConfig | None = None
    """A ridge regression that is added to what the towers say; null adds none."""
    video_encoder: Part = Part(name="vit")
    """Clips to tokens."""
    aggregator: Part = Part(name="attention_pooling")
    """Rows of a study to one vector."""
    aggregate: Literal["clips", "tokens"] = "clips"
    """What the aggregator sees: one mean row a clip, or every token."""
    clip_pooling: Literal["mean", "positions"] = "mean"
    """How the tokens of a clip become its row: their mean, or weights of each position's own,
    which learn faster where views are standardised."""
    position_hidden: Count | None = None
    """Numbers between the two layers of ``clip_pooling: positions``, which grow with the grid; null
    takes two widths, or fewer where that would be more than four million parameters."""
    study_in_memory: bool = False
    """Show the aggregated study and the clips' rows, beside the tokens, to the caption decoder."""
    text_encoder: Part = Part(name="transformer")
    """Reports to token features and one vector."""
    caption_decoder: Part = Part(name="transformer")
    """Tokens to the report; built where captioning has a weight."""
    masked_decoder: Part = Part(name="transformer")
    """Visible tokens to masked pixels; built where masked modelling has a weight."""
    fact_heads: Part = Part(name="side_by_side")
    """Tokens to what the report states; built where facts have a weight."""
    facts_in_memory: bool = False
    """Show what the fact heads found, a row a fact, to the caption decoder."""
    views: ViewsConfig = ViewsConfig()
    """What the model is told of how clips were filmed."""
    mask_ratio: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.75
    """Share of a clip's tokens that masked modelling hides."""
    masked_clips: Count = 1
    """Clips a study that masked modelling sees."""
    video_frozen: Frozen = "none"
    """What of the video encoder's pretrained part does not train: ``none``, ``all``, or a share of
    its parameters from the input side. Fresh layers behind it always train."""
    text_frozen: Frozen = "none"
    """The same of the text encoder."""
    video_lora: AdapterConfig | None = None
    """Adapters on the video encoder's pretrained part, which does not train beside them; null has
    none."""
    text_lora: AdapterConfig | None = None
    """The same of the text encoder."""


class ContrastiveConfig(Part):
    """The loss that matches studies with reports."""

    name: Literal["infonce", "siglip"] = "infonce"
    """Softmax over the global batch, or a sigmoid for each pair."""


class BalanceConfig(Part):
    """How the weights of the loss terms change while the model trains."""

    name: Literal["fixed", "shares", "uncertainty", "famo", "upgrad"] = "fixed"
    """Not beyond their schedules; towards wanted shares of the gradient; by learned variances; so
    that all losses fall alike; or so that no term's gradient is worked against."""


class FactsConfig(Strict):
    """What is read from reports as labels, and how captions are told what the heads found."""

    vocabulary: Literal["coronary", "echo"] = "coronary"
    """What reports are asked for: a file in metrics/facts/."""
    silence: Literal["vocabulary", "unknown"] = "vocabulary"
    """What it means that a report says nothing of a fact: what the vocabulary says (a segment that
    is not named is healthy), or nothing, and then it is masked."""
    constrain: bool = True
    """Let captions state what the heads found, and nothing else."""


LossWeights = dict[str, ValueOrSchedule]
"""By the name of a loss term. A constant 0 leaves the term and its parts out; a project refuses
terms that are not its own."""
