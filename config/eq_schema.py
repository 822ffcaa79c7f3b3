"""The section of a config that only semantic EQ reads: equalizer settings and their descriptors."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from cinelex.config.strict import Count, CountOrZero, NotNegative, Share, Strict

Word = Annotated[str, Field(pattern=r"^[^\s,=][^,=]*$")]


class SyntheticEqConfig(Strict):
    """The made-up file of settings, in the format of the real one; used where ``file`` is null."""

    rows: Annotated[int, Field(ge=100, le=1_000_000)] = 1700
    """Settings in the file."""
    people: Annotated[int, Field(ge=6, le=100_000)] = 120
    """People who made them; each has habits, and all settings of one are in one split."""
    seed: CountOrZero = 0
    """Decides every row; the run's own seed does not."""
    label_noise: Share = 0.05
    """Share of the settings whose descriptor was drawn at random."""


class EqConfig(Strict):
    """Settings of a five-band equalizer, described in words: what is read and what is built."""

    file: Path | None = None
    """Headerless CSV of 25 columns; null makes one. IP, location and age are dropped on reading."""
    inference_file: Path | None = None
    """Settings that ``--run_mode inference`` describes, in the same format, descriptors or none;
    null describes the test settings."""
    synthetic: SyntheticEqConfig = SyntheticEqConfig()
    """The made-up file."""
    min_settings: Annotated[int, Field(ge=4)] = 30
    """Settings that a descriptor must have in the file; rarer descriptors are not learned."""
    ignored: tuple[Word, ...] = ("test",)
    """Descriptors that say nothing of the sound."""
    reject_limit: Share = 0.01
    """Share of the file's rows that may be unreadable or out of range before the run stops."""
    folds: Annotated[int, Field(ge=3, le=100)] = 5
    """Parts that the people are dealt into; one is the test split, one is for validation."""
    points: Annotated[int, Field(ge=64, le=256)] = 128
    """Frequencies, evenly spaced in their logarithm from 20 Hz to 20 kHz, of a response curve."""
    noise: NotNegative = 0.02
    """Standard deviation of what is added to every unit of a training setting as the encoder sees
    it, as a share of the parameter's range."""
    dim: Count = 8
    """Dimension of a setting's latent."""
    width: Count = 128
    """Width of the layers of encoder and decoder."""
    depth: Annotated[int, Field(ge=1, le=1000)] = 2
    """Hidden layers of the encoder, and of the decoder."""
    pair: tuple[Word, Word] = ("warm", "bright")
    """The two descriptors that are told apart and morphed into one another in the evaluation."""
    morph_steps: Annotated[int, Field(ge=3, le=1001)] = 11
    """Settings on the way from the one to the other, both ends among them."""

    @model_validator(mode="after")
    def check_pair(self) -> Self:
        """Refuse a descriptor that is to be told apart from itself."""
        if self.pair[0] == self.pair[1]:
            raise ValueError(f"pair must be two different descriptors, got {self.pair[0]!r} twice")
        return self
