"""Equalizer settings ready to be sampled: splits that keep a person together, and batches."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.errors import UserError
from cinelex.core.randomness import keyed_seed
from cinelex.data.eq.codec import EqSettings
from cinelex.data.eq.file import EqRow


@dataclass(frozen=True)
class EqBatch:
    """Settings stacked together."""

    ids: list[str]
    units: Float[Tensor, "setting parameter"]
    """Shares of each parameter's range, as ``EqUnits`` holds them."""
    labels: Bool[Tensor, "setting descriptor"]
    """True where a setting has a descriptor."""
    keys: Int[Tensor, " setting"]
    """What decides each setting's random draws: a hash of (seed, epoch, id)."""

    def to(self, device: torch.device) -> "EqBatch":
        """Copy to a device, without waiting for the copy."""
        tensors = (self.units, self.labels, self.keys)
        return EqBatch(self.ids, *(tensor.to(device, non_blocking=True) for tensor in tensors))

    def split(self, micro_batches: int) -> "list[EqBatch]":
        """Cut into consecutive micro-batches.

        Raises:
            UserError: There are fewer settings than micro-batches.
        """
        count = len(self.ids)
        if micro_batches > count:
            raise UserError(
                f"{count} settings of a process cannot be cut into {micro_batches} "
                "micro-batches; lower gradient_accumulation_steps or raise batch"
            )
        edges = [count * n // micro_batches for n in range(micro_batches + 1)]
        return [
            EqBatch(self.ids[a:b], self.units[a:b], self.labels[a:b], self.keys[a:b])
            for a, b in pairwise(edges)
        ]


class EqDataset:
    """The settings of one split."""

    def __init__(self, rows: Sequence[EqRow], descriptors: Sequence[str], *, seed: int) -> None:
        """Encode all settings; some may have none of the descriptors, which order the labels.

        Raises:
            UserError: There is no setting.
        """
        if not rows:
            raise UserError("a split has no settings; lower eq.folds, or give more rows")
        self.rows, self.descriptors, self.seed = list(rows), tuple(descriptors), seed
        values = torch.tensor([row.values for row in rows], dtype=torch.float64)
        self.units = EqSettings(values).encode().values.float()
        self.labels = torch.tensor(
            [[word in row.descriptors for word in descriptors] for row in rows]
        )

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def people(self) -> Int[np.ndarray, " setting"]:
        """Return who made each setting."""
        return np.array([row.person for row in self.rows])

    def batch(self, indices: Sequence[int], *, epoch: int | None) -> EqBatch:
        """Return settings as training sees them in an epoch, or as evaluation does (None)."""
        moment = "evaluation" if epoch is None else epoch
        ids = [self.rows[index].id for index in indices]
        chosen = torch.tensor(indices, dtype=torch.int64)
        keys = [keyed_seed(self.seed, moment, name) for name in ids]
        return EqBatch(ids, self.units[chosen], self.labels[chosen], torch.tensor(keys))


def grouped_split(
    rows: Sequence[EqRow], descriptors: Sequence[str], *, folds: int, seed: int
) -> dict[str, list[EqRow]]:
    """Deal people into folds of about equal descriptors: one for test, one for val, the rest train.

    All settings of a person are in one split. Settings with none of the descriptors are left out.

    Raises:
        UserError: There are fewer people than folds, or a split lacks one of the first two
            descriptors.
    """
    from sklearn.model_selection import StratifiedGroupKFold  # here, because it takes a second

    known = [row for row in rows if set(row.descriptors) & set(descriptors)]
    people = {row.person for row in known}
    if len(people) < folds:
        raise UserError(
            f"{len(people)} people made the settings, which cannot be dealt into {folds} folds; "
            "lower eq.folds"
        )
    first = [next(w for w in row.descriptors if w in descriptors) for row in known]
    dealer = StratifiedGroupKFold(
        n_splits=folds, shuffle=True, random_state=keyed_seed(seed, "folds") % 2**32
    )
    with warnings.catch_warnings():
        # a rare descriptor may miss a fold; the two that matter are looked for below
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        dealt = [fold for _, fold in dealer.split(first, first, [row.person for row in known])]
    chosen = {"test": dealt[0], "val": dealt[1], "train": np.concatenate(dealt[2:])}
    splits = {name: [known[i] for i in sorted(part.tolist())] for name, part in chosen.items()}
    for name, part_rows in splits.items():
        for word in descriptors[:2]:
            if not any(word in row.descriptors for row in part_rows):
                raise UserError(
                    f"the {name} split has no setting called {word!r}: too few people use it; "
                    "change seed or lower eq.folds"
                )
    return splits
