"""Which treatment of negatives helps when captions repeat: every variant, rate and seed, resumable.

    python -m benchmarks.clipse_study run --folder studies/clipse [--seeds 5] [--stills MANIFEST]
    python -m benchmarks.clipse_study table --folder studies/clipse

Two small heads are trained on fixed features (`benchmarks.clipse_features`), so that a run takes
seconds of one core and what differs is the loss alone: steps, batches, captions drawn, heads and
optimizer are the same, and ``clipse.negatives`` and ``clipse.affinity`` come from the shipped
configs. A run that has its results is not made again. Seeds are the outer loop, so that the table
can be read at any time. Variants are ranked by retrieval, never by loss.
"""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.clipse_features import Split, made_up_set, stills_set
from benchmarks.clipse_study_table import (
    MODULATED,
    RATES,
    STILLS,
    STRENGTHS,
    cell_path,
    tables,
)
from cinelex.config.build import build
from cinelex.config.load import load_config
from cinelex.config.schema import ClipseConfig
from cinelex.core.console import say
from cinelex.core.files import write_json
from cinelex.core.randomness import generator, keyed_seed
from cinelex.data.sampler import StudySampler
from cinelex.losses import NEGATIVES
from cinelex.losses.affinity import Affinity, LabelAffinity, label_affinity, mixed_affinity
from cinelex.losses.comparison import AnyComparison, Scored, compare, cross_entropy
from cinelex.losses.negative_weights import diversity
from cinelex.losses.similarity_aware import debias
from cinelex.metrics.image_retrieval import DIRECTIONS, rank_images_and_captions

CONFIGS = Path(__file__).parents[1] / "config" / "clipse"
CHANGES = {
    MODULATED: (
        "clipse.negatives.options.form=modulated",
        "clipse.negatives.options.threshold=1e6",
        "clipse.negatives.options.warmup=0.0",
    ),
}
"""What a variant changes in its shipped config."""
VARIANTS = {
    "baseline": "baseline",
    "debias": "sanw_debias",
    "bandpass": "sanw_bandpass",
    "adaptive bandpass": "sanw_adaptive",
    "ADNCE": "adnce",
    "soft targets": "soft_targets",
    "label-aware": "label_aware",
    MODULATED: "sanw_debias",
}
"""What the tables call a variant, and its shipped config."""
STEPS, BATCH, WIDTH, DIM = 300, 64, 128, 64
RATE, WARMUP, DECAY, DROPPED = 2e-3, 20, 0.1, 0.1
START, COLDEST = 0.07, 0.01
"""Temperature at the first step, and its clamp; it is learned."""
TAIL = 50
"""Last steps over which the losses of a run are averaged."""

Losses = dict[str, float | None]


class Heads(nn.Module):
    """Two layers for images, two for captions, and the temperature."""

    def __init__(self, train: Split, *, seed: int) -> None:
        """Draw the first weights from the seed."""
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(keyed_seed(seed, "heads"))
            self.image, self.caption = _head(train.image), _head(train.caption)
        self.log_temperature = nn.Parameter(torch.tensor(math.log(START)))

    def forward(self, image: Tensor, caption: Tensor) -> tuple[Tensor, Tensor]:
        """Return unit rows of images and captions."""
        rows = self.image(image), self.caption(caption)
        return F.normalize(rows[0], dim=1), F.normalize(rows[1], dim=1)


class Batches:
    """The same batches for every variant: images, one caption of each, and what is dropped."""

    def __init__(self, train: Split, *, seed: int) -> None:
        """Order the training images by the seed."""
        self.train, self.seed = train, seed
        images = len(train.image)
        self.sampler = StudySampler(studies=images, batch=min(BATCH, images), seed=seed)
        self.count = torch.bincount(train.owner)
        self.first = self.count.cumsum(0) - self.count

    def at(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the images of a step, their features, and the captions drawn."""
        place = torch.tensor(self.sampler.batch_at(step)[1])
        random = generator(self.seed, "step", step)
        draw = torch.rand(len(place), generator=random) * self.count[place]
        image = self.train.image[place]
        kept = torch.rand(image.shape, generator=random) >= DROPPED
        return place, image * kept / (1 - DROPPED), self.first[place] + draw.long()


def train_heads(clipse: ClipseConfig, train: Split, *, seed: int) -> tuple[Heads, Losses]:
    """Return trained heads, and the mean losses over the last steps; None has no weights."""
    heads, batches = Heads(train, seed=seed), Batches(train, seed=seed)
    loss = build(NEGATIVES, clipse.negatives, studies=len(train.image))
    optimizer = torch.optim.AdamW(heads.parameters(), lr=RATE, weight_decay=DECAY)
    tail: list[Tensor] = []
    for step in range(STEPS):
        warm, cosine = min(1.0, (step + 1) / WARMUP), 0.5 + 0.5 * math.cos(math.pi * step / STEPS)
        optimizer.param_groups[0]["lr"] = RATE * warm * cosine
        place, image, caption = batches.at(step)
        rows = heads(image, train.caption[caption])
        affinity = _affinity(clipse, train, place, caption)
        comparison = compare(*rows, temperature=_temperature(heads), index=place, affinity=affinity)
        scored = loss(comparison, progress=step / (STEPS - 1))
        optimizer.zero_grad(set_to_none=True)
        scored.loss.backward()
        nn.utils.clip_grad_norm_(heads.parameters(), 1.0)
        optimizer.step()
        if step >= STEPS - TAIL:
            tail.append(_numbers(comparison, scored))
    mean = [None if math.isnan(x) else x for x in torch.stack(tail).mean(0).tolist()]
    return heads, dict(zip(("loss", "ce", "effective_share"), mean, strict=True))


@torch.no_grad()
def score(heads: Heads, train: Split, test: Split) -> dict[str, Any]:
    """Return the ranks of every held-out query, and what modulated costs over plain InfoNCE."""
    image, caption = heads(test.image, test.caption)
    outcomes = rank_images_and_captions(image, caption, test.owner)
    return {
        "ranks": {name: outcomes.rankings[name].best.tolist() for name in DIRECTIONS},
        "owner": test.owner.tolist(),
        "modulated": {"held_out": _modulated(heads, test), "training": _modulated(heads, train)},
        "temperature": float(_temperature(heads)),
    }


def _modulated(heads: Heads, split: Split) -> dict[str, Any]:
    """Return InfoNCE of a batch, and modulated (w = 1) as a multiple of it, by strength."""
    first = torch.arange(min(BATCH, len(split.image)))
    own = torch.searchsorted(split.owner, first)
    rows = heads(split.image[first], split.caption[own])
    affinity = LabelAffinity(first)
    batch = compare(*rows, temperature=_temperature(heads), index=first, affinity=affinity)
    plain = cross_entropy(batch)
    ratios: dict[str, float] = {}
    for beta in STRENGTHS:
        modulated = debias(form="modulated", threshold=1e6, strength=beta)
        ratios[str(beta)] = float(modulated(batch, progress=1.0).loss / plain)
    return {"ce": float(plain), "over_ce": ratios}


def _temperature(heads: Heads) -> Tensor:
    return heads.log_temperature.exp().clamp(min=COLDEST)


def cells(*, seeds: int, stills: bool) -> Iterator[tuple[int, str, str]]:
    """Yield seed, set and variant of all runs, seed after seed."""
    sets = [*(f"rate {rate:g}" for rate in RATES), *([STILLS] if stills else [])]
    for seed in range(seeds):
        for name in sets:
            for variant in VARIANTS:
                yield seed, name, variant


def run(folder: Path, *, seeds: int, stills: Path | None) -> None:
    """Make every run that has no results yet."""
    opened: dict[str, tuple[Split, Split]] = {}
    for seed, name, variant in cells(seeds=seeds, stills=stills is not None):
        path = cell_path(folder, name, variant, seed)
        if path.exists():
            continue
        if name not in opened:
            opened[name] = (
                stills_set(stills)
                if stills is not None and name == STILLS
                else made_up_set(folder / "sets", duplicate_rate=float(name.split()[-1]))
            )
        train, test = opened[name]
        changes = list(CHANGES.get(variant, ()))
        clipse = load_config(CONFIGS / f"{VARIANTS[variant]}.yaml", changes).clipse
        heads, losses = train_heads(clipse, train, seed=seed)
        write_json(path, {**score(heads, train, test), "training": losses})
        say(f"{name}, {variant}, seed {seed}: done")


def _affinity(
    clipse: ClipseConfig, train: Split, place: Tensor, caption: Tensor
) -> Affinity | None:
    if clipse.affinity.source == "labels":
        return label_affinity(train.label[place])
    if clipse.affinity.source == "tfidf":
        return mixed_affinity(None, train.words[caption], alpha=1.0)
    return None


@torch.no_grad()
def _numbers(comparison: AnyComparison, scored: Scored) -> Tensor:
    weights = scored.log_weight
    share = (
        torch.tensor(math.nan) if weights is None else diversity(weights)["weights/effective_share"]
    )
    return torch.stack([scored.loss, cross_entropy(comparison), share])


def _head(features: Tensor) -> nn.Module:
    return nn.Sequential(
        nn.Linear(features.shape[1], WIDTH), nn.GELU(), nn.Linear(WIDTH, DIM, bias=False)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing, or print the tables of what is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=("run", "table"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--stills", type=Path, help="manifest of videos with a text each")
    options = parser.parse_args(arguments)
    if options.do == "run":
        torch.set_num_threads(1)
        run(options.folder, seeds=options.seeds, stills=options.stills)
    sys.stdout.write(tables(options.folder, list(VARIANTS), seeds=options.seeds) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
