"""The sections of a config that say how videos become clips."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Strict


class LimitsConfig(Strict):
    """What a decoder refuses to start on."""

    max_pixels: Annotated[int, Field(ge=1, le=1 << 30)] = 7680 * 4320
    """Rows times columns of one frame."""
    max_frames: Annotated[int, Field(ge=1, le=100_000_000)] = 100_000
    """Frames of one video."""
    deadline_s: Annotated[float, Field(gt=0, le=86_400)] = 120.0
    """Seconds that one video may take."""


class SamplingConfig(Strict):
    """How clips of ``data.frames`` frames are cut from a video."""

    kind: Literal["segments", "time"] = "segments"
    """``segments`` spans the video with one frame of each of its equal parts; ``time`` cuts
    ``seconds`` out of it at ``frames_per_s``, by the true times of its frames."""
    seconds: Annotated[float, Field(gt=0, le=3600)] | None = None
    """What a clip spans."""
    frames_per_s: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Frames of a clip in a second; ``data.frames`` are ``seconds`` times as many."""
    train_clips: Annotated[int, Field(ge=1, le=64)] = 1
    """Clips of a video in training, drawn on their own."""
    draws: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Places in a video from which training cuts its clips, evenly spread; null is any. With few,
    what a frozen tower makes of every clip can be kept."""
    evaluation_clips: Annotated[int, Field(ge=1, le=64)] = 1
    """Clips of a video in evaluation, evenly spread over it."""

    @model_validator(mode="after")
    def check_kind(self) -> Self:
        """Refuse times without their numbers, and numbers that nothing reads."""
        given = {self.seconds is not None, self.frames_per_s is not None}
        if given != {self.kind == "time"}:
            raise ValueError(
                "seconds and frames_per_s belong to kind: time; give both with it, or neither"
            )
        return self


class AugmentationConfig(Strict):
    """Random changes of the training clips; validation and test see none."""

    crop: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.1
    """Largest shift, and largest change of scale, as a share of the side."""
    shift: Annotated[int, Field(ge=0)] = 0
    """Largest shift in whole pixels, which interpolates nothing: specks of a pixel stay sharp."""
    rotation: Annotated[float, Field(ge=0.0, le=180.0)] = 0.0
    """Largest turn, in degrees."""
    flip: bool = False
    """Mirror left and right at random; wrong wherever the report says left or right."""
    brightness: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest change of brightness and of contrast, as a share of the full range."""
    color: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest shift of each channel by itself, as a share of the full range; nothing on gray."""
    blur: Annotated[float, Field(ge=0.0, le=16.0)] = 0.0
    """Largest standard deviation of a Gaussian blur, in pixels."""
    noise: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest standard deviation of noise in every pixel, as a share of the full range."""
    time: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Largest shift in time, and largest change of speed, as a share of the clip's frames."""
