"""The section of a config that only CLIPSE reads: captioned images, and how negatives count."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Count, CountOrZero, Part, Share, Strict


class MadeUpImagesConfig(Strict):
    """The made-up set of scenes, in Flickr8k's format; used where ``root`` is null."""

    train: Count = 1500
    """Images to train on."""
    val: Count = 100
    """Images for validation during the run."""
    test: Count = 300
    """Held-out images for the final evaluation; no scene of theirs is in another split."""
    duplicate_rate: Share = 0.5
    """Share of the training images that repeat one of the stock scenes in other pixels and words:
    false negatives of one another, known from labels.csv."""
    stock_scenes: Count = 20
    """Scenes that are repeated."""
    seed: CountOrZero = 0
    """Decides every image; the run's own seed does not."""


class AffinityConfig(Strict):
    """Who says how alike two image-caption pairs are."""

    source: Literal["none", "labels", "tfidf", "run", "ema", "student"] = "none"
    """``labels``: 1 for equal labels, else 0. ``tfidf``: words in common, rare ones more. ``run``:
    a trained run, frozen. ``ema``: a moving average of the student's weights. ``student``: what is
    being trained, which confirms itself and is not recommended."""
    alpha: Share = 1.0
    """Share of the captions in A = alpha cos(captions) + (1 - alpha) cos(images); no strength."""
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.99
    """Share of the old weights in the moving average after a step; read for ``ema``."""
    run: Path | None = None
    """Folder of the trained run; needed for ``run``."""

    @model_validator(mode="after")
    def check_source(self) -> Self:
        """Refuse a teacher that nobody named, and images' affinities of a teacher of words."""
        if (self.source == "run") != (self.run is not None):
            raise ValueError("run belongs to source: run; give both, or neither")
        if self.source in ("tfidf", "labels") and self.alpha != 1.0:
            raise ValueError(f"source {self.source} knows no images, so alpha must be 1")
        return self


class ClipseConfig(Strict):
    """Images and captions: what is read and what is compared."""

    format: Literal[
        "flickr8k",
        "flickr30k",
        "flickr8k_karpathy",
        "flickr30k_karpathy",
        "coco_karpathy",
        "coco",
        "manifest",
    ] = "flickr8k"
    """How the captions are distributed; ``manifest`` reads data.manifest, a study an image."""
    root: Path | None = None
    """Folder of the download; null makes the made-up set."""
    label_column: Annotated[str, Field(min_length=1)] | None = None
    """Column of the manifest that says what images have in common; read for ``manifest``."""
    caption_columns: list[Annotated[str, Field(min_length=1)]] = []
    """Columns of the manifest with further captions of each image, beside that of the report; an
    empty cell is none. Training draws one of them an epoch; read for ``manifest``."""
    synthetic: MadeUpImagesConfig = MadeUpImagesConfig()
    """The made-up set."""
    sampler: Literal["random", "topical", "stratified", "class_balanced"] = "random"
    """Which images share a batch: any, those of a topic, those of all topics, or equally many of
    each label."""
    topics: Annotated[int, Field(ge=2, le=100_000)] = 20
    """Clusters of captions for ``topical`` and ``stratified``."""
    negatives: Part = Part(name="infonce")
    """How negatives count; the table is NEGATIVES in losses/__init__.py."""
    affinity: AffinityConfig = AffinityConfig()
    """Who says how alike two pairs are, for negatives that are weighed by it."""

    @model_validator(mode="after")
    def check_format(self) -> Self:
        """Refuse a folder that a manifest would not be read from."""
        if self.format == "manifest" and self.root is not None:
            raise ValueError("format: manifest reads data.manifest; leave root out")
        for name in ("label_column", "caption_columns"):
            if getattr(self, name) and self.format != "manifest":
                raise ValueError(f"{name} belongs to format: manifest")
        return self
