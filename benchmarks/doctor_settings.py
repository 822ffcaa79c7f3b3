"""The seeded runs in which the doctor is tried: shipped recipes, whole, shortened or made tiny."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from cinelex.config.load import load_config

CONFIGS = Path("config")
MULTITASK = "clip/multitask_config"
LATENT = "latent/latent_config"
EQ = "eq/semantic_eq"
FEW_STUDIES = ("data.synthetic.train=600", "data.synthetic.val=60", "data.synthetic.test=80")
RECIPES: dict[str, tuple[str, ...]] = {
    "clip/base_config": (),
    MULTITASK: (),
    "clip/multitask_balanced": (),
    "clip/small_data": FEW_STUDIES,
    "clipse/baseline": (),
    "clipse/sanw_debias": (),
    "clipse/sanw_bandpass": (),
    "clipse/small_data": ("clipse.format=flickr8k", "clipse.synthetic.train=600"),
    LATENT: (),
    EQ: (),
    "probing/probing_config": ("probing.run=runs/multitask", *FEW_STUDIES),
}
"""Shipped recipes of every project, below ``config/``, and what of them is made smaller.

``runs/multitask``, which is probed, is a run of the main recipe with `FEW_STUDIES` and 300 steps.
"""
Scale = Literal["tiny", "small", "learning", "whole"]
"""How much of a recipe is run."""
LEARNING_STEPS = 250
"""Past the step from which on rules about learning speak."""
ALL = ("device=cpu", "threads=1", "evaluation.bootstrap=200")
LEARNING = (
    f"steps={LEARNING_STEPS}",
    "optimizer.warmup_steps=40",
    f"probe_every={LEARNING_STEPS // 50}",  # rules about gradients ask for 50 looks
    "validate_every=0",
    f"checkpoint_every={LEARNING_STEPS}",
)
"""A recipe's own model and data, until it must have learned something."""
TINY = (
    "steps=60",
    "optimizer.warmup_steps=20",
    "log_every=30",
    "validate_every=0",
    "checkpoint_every=60",
    "probe_every=4",
)
"""Steps enough for what shows in the record at once."""
OF_PROJECT = {
    "multitask": (
        "batch=16",
        "data.size=32",
        "data.frames=4",
        "data.stored_frames=4",
        "data.synthetic.train=256",
        "data.synthetic.val=48",
        "data.synthetic.test=48",
        "model.width=48",
        "model.dim=32",
        "model.video_encoder.options.tubelet=[4,8,8]",
        "model.text_encoder.options.depth=1",
        "model.caption_decoder.options.depth=1",
        "model.masked_decoder.options.depth=1",
        "model.masked_decoder.options.width=24",
        "optimizer.learning_rate=2e-3",
        "evaluation.report_examples=1",
        "evaluation.max_new_tokens=64",
    ),
    "latent": (
        "batch=16",
        "data.size=32",
        "latent.engravings.train=256",
        "latent.engravings.val=48",
        "latent.engravings.test=48",
        "latent.size=256",
        "latent.interpolation_steps=3",
        "model.width=48",
        "model.dim=32",
        "model.caption_decoder.options.depth=1",
        "optimizer.learning_rate=2e-3",
        "evaluation.report_examples=1",
    ),
    "eq": (
        *("eq.synthetic.rows=300", "eq.synthetic.people=30", "eq.min_settings=20"),
        *("eq.folds=3", "eq.width=16", "eq.dim=4", "batch=16"),
    ),
}
"""What makes the model and the data of a shipped recipe tiny."""
FEW_STUDIES = ("data.synthetic.train=96", "data.synthetic.val=24", "data.synthetic.test=24")
"""A set that is made in seconds, or memorised."""


def merged(*overrides: str) -> list[str]:
    """Return the overrides, each key once: the last wins, over keys inside it too."""
    chosen: dict[str, str] = {}
    for item in overrides:
        name = item.partition("=")[0]
        chosen = {key: value for key, value in chosen.items() if not key.startswith(f"{name}.")}
        chosen[name] = item
    return list(chosen.values())


def defect_overrides(
    name: str,
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    recipe: str = MULTITASK,
    scale: Scale = "tiny",
) -> list[str]:
    """Return the overrides of a recipe for one run below ``folder``."""
    tiny = OF_PROJECT[load_config(CONFIGS / f"{recipe}.yaml").project]
    sized: dict[Scale, Sequence[str]] = {
        "tiny": (*TINY, *tiny),
        "small": (*tiny, *LEARNING),
        "learning": LEARNING,
        "whole": (),
    }
    places = (f"name={name}", f"folder={folder / 'runs'}", f"data.cache={folder / 'cache'}")
    return merged(*ALL, *sized[scale], *overrides, *places)
