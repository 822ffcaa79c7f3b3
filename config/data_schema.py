"""The sections of a config that say what is read: studies, videos, reports, tokens."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.clip_schema import AugmentationConfig, LimitsConfig, SamplingConfig
from cinelex.config.strict import Count, CountOrZero, Share, Strict
from cinelex.config.synthetic_schema import SyntheticConfig

Name = Annotated[str, Field(min_length=1)]


class ColumnsConfig(Strict):
    """Where each thing stands in the manifest, by the name of its column."""

    study: Name = "study_id"
    """Column of the study's id; rows with the same id are the videos of one study."""
    video: Name = "video_path"
    """Column of the path of one video, relative to ``video_root``."""
    report: Name | None = "report"
    """Column of the report's text; null reads none, as inference may."""
    split: Name | None = "split"
    """Column of the split's name; null puts every study in the split ``all``."""
    patient: Name | None = None
    """Column of the patient's id; null takes ``patient_id`` where the file has it, else makes every
    study its own patient."""
    noise_mse: Name | None = None
    """Column of the mean squared pixel noise known to be in a video, in squared units of [0, 1];
    null where nobody knows."""
    view: Name | None = None
    """Column of the name of each video's view; null takes ``view`` where the file has it."""
    primary_angle: Name | None = None
    """Column of the angiographic primary angle in degrees, RAO negative, LAO positive; null takes
    ``primary_angle`` where the file has it."""
    secondary_angle: Name | None = None
    """Column of the secondary angle in degrees, caudal negative, cranial positive; null takes
    ``secondary_angle`` where the file has it."""
    groups: dict[str, Name] = {}
    """Columns by what they say of a study, which scores are told apart by; one that is not named
    here is taken where the file has a column of a usual name, such as ``age`` or ``vendor``."""
    subgroups: list[Name] = []
    """Further columns (age, sex, site, manufacturer …) that are kept with each study and stand in
    the tables of predictions and embeddings."""


class SplitSharesConfig(Strict):
    """A split by patient: shares of the patients, which add up to 1."""

    train: Share = 0.8
    """Of the split ``train``."""
    val: Share = 0.1
    """Of the split ``val``."""
    test: Share = 0.1
    """Of the split ``test``."""
    salt: CountOrZero = 0
    """Another salt is another split."""

    @model_validator(mode="after")
    def check_sum(self) -> Self:
        """Refuse shares that do not add up."""
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError("train, val and test must add up to 1")
        return self


class DataConfig(Strict):
    """The studies and how their videos become clips."""

    manifest: Path | None = None
    """Table with a row a video: CSV with any separator, also ``.csv.gz``, Excel (``.xlsx``), JSON
    lines or Parquet; null makes the synthetic study set."""
    inference_manifest: Path | None = None
    """Studies that ``--run_mode inference`` describes, which need neither report nor split; null
    describes the test studies."""
    columns: ColumnsConfig = ColumnsConfig()
    """The manifest's columns."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """Character between the cells of a CSV manifest; null finds it out."""
    encoding: Name | None = None
    """Encoding of a CSV or JSON manifest, such as ``cp1252`` or ``gb18030``; null finds out whether
    it is UTF-8, UTF-16, Windows-1252 or Latin-1, and refuses what may be another."""
    split_by_patient: SplitSharesConfig | None = None
    """Splits the studies by a hash of the patient's id instead of the split column, so that studies
    that are added later move none; null reads the column."""
    video_root: Path | None = None
    """Folder that the video paths start from; null is the manifest's own folder."""
    links_out: bool = False
    """Whether videos may be links that lead out of that folder, as hubs' snapshots have them."""
    decoder: Literal["pyav", "decord", "torchcodec"] = "pyav"
    """Library that decodes the videos; torchcodec needs FFmpeg's libraries on the machine."""
    decoder_device: Literal["cpu", "cuda"] = "cpu"
    """What decodes; only torchcodec can use a GPU."""
    limits: LimitsConfig = LimitsConfig()
    """Videos beyond these are refused before they are decoded."""
    size: Annotated[int, Field(ge=8, le=4096)] = 64
    """Rows and columns of a frame, in pixels."""
    channels: Literal[1, 3] = 1
    """1 for gray, 3 for red, green, blue."""
    frames: Annotated[int, Field(ge=1, le=4096)] = 8
    """Frames of a clip, as the model sees it."""
    sampling: SamplingConfig = SamplingConfig()
    """Which frames make a clip."""
    stored_frames: Annotated[int, Field(ge=1, le=4096)] | None = 16
    """Frames of a video that are decoded and kept in the cache; null keeps all."""
    compression: Literal["none", "zstd"] = "none"
    """Of the frames in the cache, without loss: zstd halves them and takes longer to read."""
    store: Name | None = None
    """Folder or URL (such as ``s3://bucket/store``) of the cines that the manifest names as
    ``store:<key>``; null is the folder ``store`` beside the manifest."""
    store_kept_gb: Annotated[float, Field(gt=0)] = 8.0
    """Gigabytes that are kept in the cache of a store behind a URL."""
    balance_views: bool = False
    """Where a study has more videos, take one of each view before a second of any."""
    view_dropout: Share = 0.0
    """Share of the videos of a study that a training step leaves out, never the last one."""
    max_videos: Count = 8
    """Videos of a study in one step; a study with more has them drawn by the seed."""
    reject_limit: Share = 0.01
    """Share of the videos that may fail to decode before the run stops."""
    workers: Annotated[int, Field(ge=0, le=256)] | Literal["auto"] = 0
    """Threads that make batches ahead of the step; 0 makes each when it is needed, and ``auto``
    takes one more whenever a step had to wait, up to the cores of its process."""
    cache: Path = Path("cache")
    """Folder of decoded frames and of the synthetic set; it can be deleted at any time."""
    synthetic: SyntheticConfig = SyntheticConfig()
    """The synthetic study set."""
    train_split: Name = "train"
    """Name in the split column of the studies to train on."""
    validation_split: Name | None = None
    """Name in the split column of the studies for validation during the run; null takes ``val``
    where there is one, and else never validates."""
    validation_share: Share = 0.0
    """Share of the training patients (studies, where none are named) that validate where no split
    does, drawn by a hash of their ids. What is solved and not trained sees them in the end."""
    test_split: Name = "test"
    """Name in the split column of the held-out studies."""
    augmentation: AugmentationConfig = AugmentationConfig()
    """Random changes of the training clips."""

    @model_validator(mode="after")
    def check_frames_and_splits(self) -> Self:
        """Refuse clips longer than what is stored, and testing on the training studies."""
        if self.stored_frames is not None and self.frames > self.stored_frames:
            raise ValueError(
                f"frames ({self.frames}) must not exceed stored_frames ({self.stored_frames})"
            )
        self._check_sampling()
        plain = [
            (name or "val").strip().lower()
            for name in (self.train_split, self.validation_split, self.test_split)
        ]
        if plain[0] in plain[1:]:
            raise ValueError(
                f"train_split {self.train_split!r} must differ from validation_split and test_split"
            )
        return self

    def _check_sampling(self) -> None:
        cut = self.sampling
        if cut.seconds is None or cut.frames_per_s is None:
            return
        needed = round(cut.seconds * cut.frames_per_s)
        if self.frames != needed:
            raise ValueError(
                f"frames must be {needed}, sampling.seconds ({cut.seconds:g}) times "
                f"sampling.frames_per_s ({cut.frames_per_s:g}), got {self.frames}"
            )
        if self.stored_frames is not None:
            raise ValueError(
                "stored_frames must be null with sampling.kind: time, which cuts clips from all "
                f"frames, got {self.stored_frames}"
            )


class TokenizerConfig(Strict):
    """How reports become tokens."""

    kind: Literal["trained", "pretrained", "open_clip"] = "trained"
    """``trained`` learns its tokens from the training reports; ``pretrained`` is read;
    ``open_clip`` is CLIP's own."""
    vocab_size: Annotated[int, Field(ge=64, le=10_000_000)] = 2048
    """Tokens of a trained tokenizer, at most."""
    max_tokens: Annotated[int, Field(ge=4, le=100_000)] = 128
    """Tokens of a report, with its first and last mark; the rest is cut off."""
    path: Name | None = None
    """Folder or name of a pretrained tokenizer."""
    buckets: Count = 1
    """Groups of like length, at most, that a training step encodes its reports in, each padded to
    its own longest: less is computed on padding; the same to rounding."""

    @model_validator(mode="after")
    def check_path(self) -> Self:
        """Refuse a pretrained tokenizer that nobody named, and a name that nothing reads."""
        if (self.kind == "pretrained") != (self.path is not None):
            raise ValueError(
                "path belongs to kind: pretrained; give both, or neither, "
                f"got kind {self.kind!r} and path {self.path!r}"
            )
        return self
