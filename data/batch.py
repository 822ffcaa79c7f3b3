"""What one training step gets to see."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate, pairwise
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from cinelex.core.errors import UserError


@dataclass(frozen=True)
class Sample:
    """One study: the clips drawn from its videos, and its report as tokens."""

    study_id: str
    clips: UInt8[Tensor, "clip frame row column channel"]
    token_ids: Int[Tensor, " token"]
    """bos … eos."""
    report_group: int
    """The same number for every study with the same report."""
    patient_group: int
    """The same number for every study of the same patient."""
    keys: Int[Tensor, " clip"]
    """What decides each clip's random draws."""
    views: Int[Tensor, " clip"] | None = None
    """The view that each clip shows, by its number in the data set's list; 0 where unknown."""
    angles: Float[Tensor, "clip two"] | None = None
    """Primary and secondary angle in degrees, NaN where unknown."""
    features: Float[Tensor, "clip position number"] | None = None
    """What a frozen video tower made of each clip; the clips then have no pixels."""
    text_features: Float[Tensor, "kept text_number"] | None = None
    """What a frozen text tower made of the report."""


@dataclass(frozen=True)
class Batch:
    """Studies stacked together; clips of all studies in one packed axis."""

    study_ids: list[str]
    clips: UInt8[Tensor, "clip frame row column channel"]
    owner: Int[Tensor, " clip"]
    """The study, by its index in the batch, that each clip belongs to; never falls."""
    token_ids: Int[Tensor, "study token"]
    """bos … eos, then padding."""
    report_group: Int[Tensor, " study"]
    """The same number where the report is the same, over the whole data set."""
    patient_group: Int[Tensor, " study"]
    """The same number where the patient is the same, over the whole data set."""
    keys: Int[Tensor, " clip"]
    """What decides each clip's random draws: a hash of (seed, epoch, study, clip)."""
    clip_counts: tuple[int, ...]
    """How many clips each study has, known without asking the device."""
    views: Int[Tensor, " clip"] | None = None
    """The view that each clip shows, by its number in the data set's list; 0 where unknown."""
    angles: Float[Tensor, "clip two"] | None = None
    """Primary and secondary angle in degrees, NaN where unknown; None where nobody knows any."""
    features: Float[Tensor, "clip position number"] | None = None
    """What a frozen video tower made of each clip; the clips then have no pixels."""
    text_features: Float[Tensor, "study kept text_number"] | None = None
    """What a frozen text tower made of each report, then zeros."""
    token_counts: tuple[int, ...] = ()
    """How many tokens each report has, known without asking the device."""
    groups: int = 1
    """How many groups of consecutive reports are encoded one after the other."""

    @property
    def studies(self) -> int:
        """How many studies the batch holds."""
        return len(self.study_ids)

    @property
    def text_buckets(self) -> list[tuple[int, int]]:
        """Return how many reports each group has, and the tokens of its longest; [] for one."""
        edges = [self.studies * n // self.groups for n in range(self.groups + 1)]
        cut = [self.token_counts[low:high] for low, high in pairwise(edges)]
        return [(len(part), max(part)) for part in cut if part] if self.groups > 1 else []

    def to(self, device: torch.device) -> "Batch":
        """Copy to a device, without waiting for the copy."""
        copies: dict[str, Any] = {
            field.name: value.to(device, non_blocking=True)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **copies)

    def split(self, micro_batches: int) -> list["Batch"]:
        """Cut into consecutive micro-batches; reports keep their padding.

        Raises:
            UserError: There are fewer studies than micro-batches.
        """
        if micro_batches > self.studies:
            raise UserError(
                f"{self.studies} studies of a process cannot be cut into {micro_batches} "
                "micro-batches; lower gradient_accumulation_steps or raise batch"
            )
        first_clip = [0, *accumulate(self.clip_counts)]
        edges = [self.studies * n // micro_batches for n in range(micro_batches + 1)]
        return [
            self._part(slice(low, high), slice(first_clip[low], first_clip[high]))
            for low, high in pairwise(edges)
        ]

    def _part(self, studies: slice, clips: slice) -> "Batch":
        return Batch(
            study_ids=self.study_ids[studies],
            clips=self.clips[clips],
            owner=self.owner[clips] - studies.start,
            token_ids=self.token_ids[studies],
            report_group=self.report_group[studies],
            patient_group=self.patient_group[studies],
            keys=self.keys[clips],
            clip_counts=self.clip_counts[studies],
            views=None if self.views is None else self.views[clips],
            angles=None if self.angles is None else self.angles[clips],
            features=None if self.features is None else self.features[clips],
            text_features=None if self.text_features is None else self.text_features[studies],
            token_counts=self.token_counts[studies],
            groups=self.groups,
        )


def collate(samples: Sequence[Sample], *, pad_id: int, groups: int = 1) -> Batch:
    """Pack the clips of several studies, and pad their reports with ``pad_id``.

    Where reports are encoded in groups, the studies stand in the order of their reports' lengths.

    Raises:
        UserError: There is no study, or one without a clip, or clips of several shapes.
    """
    if not samples:
        raise UserError("a batch needs at least one study")
    clipless = sum(len(sample.clips) == 0 for sample in samples)
    if clipless:
        raise UserError(f"{clipless} studies have no clip; drop them from the manifest")
    if len({sample.clips.shape[1:] for sample in samples}) > 1:
        raise UserError("the clips of a batch differ in shape; give all the same size and frames")
    if groups > 1:
        samples = sorted(samples, key=lambda sample: len(sample.token_ids))
    counts = tuple(len(sample.clips) for sample in samples)
    longest = max(len(sample.token_ids) for sample in samples)
    token_ids = torch.full((len(samples), longest), pad_id)
    for row, sample in enumerate(samples):
        token_ids[row, : len(sample.token_ids)] = sample.token_ids
    return Batch(
        study_ids=[sample.study_id for sample in samples],
        clips=torch.cat([sample.clips for sample in samples]),
        owner=torch.repeat_interleave(torch.arange(len(samples)), torch.tensor(counts)),
        token_ids=token_ids,
        report_group=torch.tensor([sample.report_group for sample in samples]),
        patient_group=torch.tensor([sample.patient_group for sample in samples]),
        keys=torch.cat([sample.keys for sample in samples]),
        clip_counts=counts,
        views=_per_clip([sample.views for sample in samples]),
        angles=_per_clip([sample.angles for sample in samples]),
        features=_per_clip([sample.features for sample in samples]),
        text_features=_padded([sample.text_features for sample in samples]),
        token_counts=tuple(len(sample.token_ids) for sample in samples),
        groups=groups,
    )


def _per_clip(parts: Sequence[Tensor | None]) -> Tensor | None:
    """Return what is known of all clips; None where a study's data set knows nothing."""
    known = [part for part in parts if part is not None]
    return torch.cat(known) if len(known) == len(parts) else None


def _padded(parts: Sequence[Tensor | None]) -> Tensor | None:
    """Return what is kept of all reports, padded; None where a study's data set keeps nothing."""
    known = [part for part in parts if part is not None]
    return pad_sequence(known, batch_first=True) if len(known) == len(parts) else None
