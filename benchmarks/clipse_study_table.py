"""The tables of the study of negatives: retrieval with intervals, and why losses do not rank."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from cinelex.core.files import read_json
from cinelex.metrics.paired import paired_difference

RATES = (0.0, 0.4, 0.8)
"""Shares of the training images that repeat one of 20 stock scenes."""
STILLS = "stills"
BASELINE, MODULATED = "baseline", "modulated, w = 1"
STRENGTHS = (0.5, 1.0, 2.0)
"""β at which modulated is compared with InfoNCE on one and the same model."""

Cells = dict[int, dict[str, Any]]
"""Results by seed."""


def cell_path(folder: Path, name: str, variant: str, seed: int) -> Path:
    """Return where the results of one run are."""
    plain = f"{name} {variant} {seed}".replace(",", "").replace("=", "").replace(" ", "_")
    return folder / "cells" / f"{plain}.json"


def tables(folder: Path, variants: list[str], *, seeds: int) -> str:
    """Return everything that is there as Markdown."""
    parts = []
    for name in (*(f"rate {rate:g}" for rate in RATES), STILLS):
        found = {v: _cells(folder, name, v, seeds) for v in variants}
        if found[BASELINE]:
            parts += [_retrieval(name, found), _losses(name, found)]
    return "\n\n".join(parts)


def hits(cell: dict[str, Any]) -> Float[np.ndarray, "3 image"]:
    """Return R@1 of every image: image to text, text to image over its captions, their mean."""
    owner = np.array(cell["owner"])
    there = np.array(cell["ranks"]["image_to_text"]) <= 1
    back = np.array(cell["ranks"]["text_to_image"]) <= 1
    share = np.bincount(owner, weights=back) / np.bincount(owner)
    return np.stack([there, share, (there + share) / 2])


def _cells(folder: Path, name: str, variant: str, seeds: int) -> Cells:
    paths = {seed: cell_path(folder, name, variant, seed) for seed in range(seeds)}
    return {seed: read_json(path) for seed, path in paths.items() if path.exists()}


def _retrieval(name: str, found: dict[str, Cells]) -> str:
    base = found[BASELINE]
    images = len(next(iter(base.values()))["ranks"]["image_to_text"])
    lines = [
        f"### {name}: R@1 in %, {images} held-out images, chance {100 / images:.2f}",
        "",
        "| variant | image → text | text → image | mean minus baseline | 95 % interval | p | "
        "verdict | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant, cells in found.items():
        both = sorted(cells.keys() & base.keys())
        if not both:
            continue
        mine, other = (np.stack([hits(some[seed]) for seed in both]) for some in (cells, base))
        ways = " | ".join(_level(100 * mine[:, way].mean(1)) for way in (0, 1))
        against = "– | – | – | –"
        if variant != BASELINE:
            gap = paired_difference(other[:, 2], mine[:, 2])
            against = (
                f"{100 * gap.value:+.1f} | {100 * gap.low:+.1f} … {100 * gap.high:+.1f} | "
                f"{gap.p_value:.3f} | {gap.verdict}"
            )
        lines.append(f"| {variant} | {ways} | {against} | {len(both)} |")
    return "\n".join(lines)


def _losses(name: str, found: dict[str, Cells]) -> str:
    lines = [
        f"### {name}: losses of the last 50 steps, which rank nothing",
        "",
        "| variant | its own loss | plain InfoNCE (chance 4.16) | ratio | ESS / (B − 1) |",
        "|---|---|---|---|---|",
    ]
    for variant, cells in found.items():
        if cells:
            rows = [cell["training"] for cell in cells.values()]
            loss, ce, share = (
                float(np.mean([math.nan if row[key] is None else row[key] for row in rows]))
                for key in ("loss", "ce", "effective_share")
            )
            said = f"{loss:.3f} | {ce:.3f} | {loss / ce:.2f} | {_share(share)}"
            lines.append(f"| {variant} | {said} |")
    return "\n".join([*lines, "", *_modulated(found[BASELINE])])


def _modulated(cells: Cells) -> list[str]:
    lines = [
        "What modulated (w = 1) costs over InfoNCE, on one and the same baseline model:",
        "",
        "| batch | InfoNCE | " + " | ".join(f"β = {beta}" for beta in STRENGTHS) + " |",
        "|---|---|" + "---|" * len(STRENGTHS),
    ]
    for name in ("held_out", "training"):
        rows = [cell["modulated"][name] for cell in cells.values()]
        ce = np.mean([row["ce"] for row in rows])
        ratios = [np.mean([row["over_ce"][str(beta)] for row in rows]) for beta in STRENGTHS]
        said = " | ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {name.replace('_', ' ')} | {ce:.3f} | {said} |")
    return lines


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _level(values: Float[np.ndarray, " seed"]) -> str:
    spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():.1f}{spread}"
