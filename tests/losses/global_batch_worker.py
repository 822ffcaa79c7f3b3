"""All losses on this rank's part of one global batch; `test_ranks` runs it on one and on two.

The ranks have unequal numbers of studies, of caption places, of tokens and of masked tubelets, and
a duplicate report and a repeated patient lie across them.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from cinelex.core import distributed
from cinelex.losses import CONTRASTIVE, NEGATIVES, contrastive
from cinelex.losses.affinity import mixed_affinity
from cinelex.losses.captioning import Captioning
from cinelex.losses.comparison import compare
from cinelex.losses.contrastive import InfoNCE
from cinelex.losses.curve_error import CurveError
from cinelex.losses.facts import Facts, FactStatistics
from cinelex.losses.grouped_error import GroupedError
from cinelex.losses.masked import MaskedModeling
from cinelex.losses.patch import PatchContrastive
from cinelex.losses.sigmoid import SigLIP
from cinelex.losses.supervised_contrastive import SupervisedContrastive
from cinelex.losses.weighted_sum import WeightedSum

DIM, VOCAB, PIXELS, STUDIES = 6, 9, 5, 7
FIRST_RANK = slice(0, 4)
SECOND_RANK = slice(4, 7)
CAPTION_LENGTHS = (9, 8, 5, 7, 4, 6, 3)
TOKENS = (3, 4, 4, 2, 2, 1, 2)
REPORT_GROUP = (10, 11, 12, 10, 10, 13, 11)
PATIENT_GROUP = (20, 21, 22, 22, 20, 23, 22)

GROUPED = GroupedError(
    groups=((0, 2, 4), (1, 3), (5,)), mean=(0.0,) * DIM, variance=(0.5, 1.0, 2.0, 3.0, 4.0, 5.0)
)

STATISTICS = FactStatistics(mean=torch.zeros(DIM), std=torch.tensor([1.0, 2.0, 0.5, 0.0, 1.0, 1.0]))
"""One fact never differs."""

WEIGHTED: dict[str, dict[str, Any]] = {
    "debias": {"sharpness": 5.0, "threshold": 0.5, "normalise": True},
    "adnce": {"width": 0.5},
    "percentiles": {"high": 0.8},
    "false_negatives": {"threshold": 0.6, "treatment": "attract"},
    "moving_average": {"studies": 4, "rate": 1.0},
}
"""Losses over all pairs, by tiles: columns of other ranks, and targets."""

Terms = dict[str, Tensor]


class Batch:
    """The part of the global batch that a rank holds."""

    def __init__(self, part: slice, dtype: torch.dtype) -> None:
        random = torch.Generator().manual_seed(0)

        def draw(*shape: int) -> Tensor:
            return torch.randn(STUDIES, *shape, generator=random, dtype=torch.float64).to(dtype)[
                part
            ]

        lengths = torch.tensor(CAPTION_LENGTHS)
        token_ids = torch.randint(1, VOCAB, (STUDIES, 9), generator=random)
        token_ids = token_ids.masked_fill(torch.arange(9) >= lengths[:, None], 0)
        self.token_ids = token_ids[part, : int(lengths[part].max())]
        self.token_mask = self.token_ids != 0
        tokens = torch.tensor(TOKENS)[part]
        self.patch_mask = torch.arange(int(tokens.max())) < tokens[:, None]
        self.video, self.text = draw(DIM), draw(DIM)
        self.patches = draw(4, DIM)[:, : self.patch_mask.shape[1]]
        self.token_features = draw(9, DIM)[:, : self.token_ids.shape[1]]
        self.tubelets = draw(3, PIXELS)
        self.labels = F.one_hot(torch.tensor(REPORT_GROUP)[part] - min(REPORT_GROUP), 4).bool()
        # a report states what lies above a level, so that ranks know unequal numbers of facts
        low = torch.where(self.text > -0.5, self.text, torch.nan)
        self.facts = low, low + 0.1
        self.groups = {
            "report_group": torch.tensor(REPORT_GROUP)[part],
            "patient_group": torch.tensor(PATIENT_GROUP)[part],
        }


class Model(nn.Module):
    """One tiny layer for each thing that a loss reads."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.shared = nn.Linear(DIM, DIM, dtype=dtype)
        self.to_vocab = nn.Linear(DIM, VOCAB, dtype=dtype)
        self.to_tubelet = nn.Linear(PIXELS, PIXELS + 2, dtype=dtype)
        self.log_temperature = nn.Parameter(torch.tensor(-1.5, dtype=dtype))
        self.bias = nn.Parameter(torch.tensor(-2.0, dtype=dtype))

    def forward(self, batch: Batch) -> Terms:
        study = F.normalize(self.shared(batch.video), dim=-1)
        report = F.normalize(self.shared(batch.text), dim=-1)
        patches = F.normalize(self.shared(batch.patches), dim=-1)
        token_ids = F.normalize(self.shared(batch.token_features), dim=-1)
        temperature = self.log_temperature.exp()
        pair = {"temperature": temperature, **batch.groups}
        captioning = Captioning(pad_id=0, number_ids=(3, 4), number_weight=2.5)
        there = (batch.patch_mask, batch.token_mask)
        return {
            "out": InfoNCE()(study, report, **pair),
            "in": InfoNCE(form="in")(study, report, **pair),
            "siglip": SigLIP()(study, report, bias=self.bias, **pair),
            **self._in_tiles(study, report, pair),
            "patch_contrastive": PatchContrastive()(patches, there[0], token_ids, there[1], **pair),
            "captioning": captioning(
                self.to_vocab(self.shared(batch.token_features)), batch.token_ids
            ),
            "masked_modeling": MaskedModeling()(self.to_tubelet(batch.tubelets), batch.tubelets),
            "descriptors": SupervisedContrastive()(study, batch.labels, temperature=temperature),
            "parameters": GROUPED(self.shared(batch.video), batch.text, batch.video.abs()),
            "response": CurveError()(self.shared(batch.video), batch.text),
            "facts": Facts()(self.shared(batch.video), *batch.facts, STATISTICS),
        }

    def _in_tiles(self, study: Tensor, report: Tensor, pair: dict[str, Any]) -> Terms:
        with mock.patch.object(contrastive, "HELD_WHOLE", 0):
            return {
                "out_by_tiles": InfoNCE()(study, report, **pair),
                "in_by_tiles": InfoNCE(form="in")(study, report, **pair),
                "siglip_by_tiles": SigLIP()(study, report, bias=self.bias, **pair),
                **self._weighted(study, report, pair),
            }

    def _weighted(self, study: Tensor, report: Tensor, pair: dict[str, Any]) -> Terms:
        teacher = F.normalize(study.detach() + 0.3 * report.detach(), dim=-1)
        comparison = compare(
            study,
            report,
            temperature=pair["temperature"],
            index=pair["patient_group"] - min(PATIENT_GROUP),
            affinity=mixed_affinity(None, teacher, alpha=1.0),
        )
        return {
            f"{name}_by_tiles": NEGATIVES[name](**options)(comparison, progress=1.0).loss
            for name, options in WEIGHTED.items()
        }


WEIGHTS = {
    "out": 2.0,
    "in": 0.5,
    "siglip": 0.25,
    "out_by_tiles": 1.5,
    "in_by_tiles": 0.4,
    "siglip_by_tiles": 0.15,
    **{f"{name}_by_tiles": 0.1 for name in WEIGHTED},
    "patch_contrastive": 0.125,
    "captioning": 0.3,
    "masked_modeling": 0.1,
    "descriptors": 0.2,
    "parameters": 1.0,
    "response": 0.05,
    "facts": 0.7,
}


def gradients(model: nn.Module, backward: Callable[[], object]) -> Terms:
    """Return every parameter's gradient after ``backward``."""
    model.zero_grad()
    backward()
    return {
        name.removeprefix("module."): torch.zeros_like(parameter)
        if parameter.grad is None
        else parameter.grad.clone()
        for name, parameter in model.named_parameters()
    }


def average(value: Tensor) -> Tensor:
    """Average a gradient over the ranks, as DistributedDataParallel does."""
    if distributed.world_size() > 1:
        dist.all_reduce(value)
    return value / distributed.world_size()


def measure(part: slice, dtype: torch.dtype) -> Terms:
    """Return each loss, its gradients alone, and those of the weighted sum through DDP."""
    model, batch = Model(dtype), Batch(part, dtype)
    found: Terms = {"chance": MaskedModeling().chance(batch.tubelets)}
    for name in WEIGHTS:
        term = model(batch)[name]
        found[name] = term.detach()
        for parameter, gradient in gradients(model, term.backward).items():
            found[f"{name}/{parameter}"] = average(gradient)
    trained = DistributedDataParallel(model) if distributed.world_size() > 1 else model
    total = WeightedSum(WEIGHTS)(trained(batch))
    found["total"] = total.detach()
    for parameter, gradient in gradients(trained, total.backward).items():
        found[f"total/{parameter}"] = gradient
    return found


if __name__ == "__main__":
    assert set(CONTRASTIVE) == {"infonce", "siglip"}
    distributed.start("cpu", timeout_s=60)
    mine = FIRST_RANK if distributed.is_main() else SECOND_RANK
    for precision in (torch.float64, torch.float32):
        name = f"{distributed.rank()}-{str(precision).removeprefix('torch.')}.safetensors"
        save_file(measure(mine, precision), Path(sys.argv[1]) / name)
    distributed.stop()
