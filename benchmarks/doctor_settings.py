"""The small seeded runs in which the doctor is tried: shipped recipes, shortened."""

from collections.abc import Sequence
from pathlib import Path

from config.load import load_config
from config.schema import RunConfig

CONFIGS = Path("config")
MULTITASK = "clip/multitask_config"
LATENT = "latent/latent_config"
EQ = "eq/semantic_eq"
RECIPES = (
    *("clip/base_config", MULTITASK, "clip/multitask_balanced"),
    *("clipse/baseline", "clipse/sanw_debias", "clipse/sanw_bandpass"),
    *(LATENT, EQ),
)
"""Shipped recipes of every project, below ``config/``."""
STEPS = 210
"""Just past the step from which on rules about learning speak."""
PROBE_EVERY = 4
"""50 probes in a run."""
ALL = (
    "device=cpu",
    "threads=1",
    f"steps={STEPS}",
    "optimizer.warmup_steps=20",
    "log_every=30",
    "validate_every=0",
    f"checkpoint_every={STEPS}",
    f"probe_every={PROBE_EVERY}",
    "evaluation.bootstrap=200",
)
OF_PROJECT = {
    "multitask_pretraining": (
        "batch=16",
        "data.size=32",
        "data.frames=4",
        "data.stored_frames=4",
        "data.synthetic.train=256",
        "data.synthetic.val=48",
        "data.synthetic.test=48",
        "model.width=48",
        "model.dim=32",
        "model.video_encoder.options.cube=[4,8,8]",
        "model.text_encoder.options.depth=1",
        "model.caption_decoder.options.depth=1",
        "model.masked_decoder.options.depth=1",
        "model.masked_decoder.options.width=24",
        "optimizer.learning_rate=2e-3",
        "evaluation.report_examples=1",
        "evaluation.caption_words=64",
    ),
    "latent_captioning": (
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
    "image_text_pretraining": (
        "clipse.synthetic.train=512",
        "clipse.synthetic.val=48",
        "clipse.synthetic.test=100",
    ),
    "semantic_eq": (),
}
"""What makes a shipped recipe of a project small."""
SMALL = ("data.synthetic.train=96", "data.synthetic.val=24", "data.synthetic.test=24")
"""A set that is made in seconds, for what shows before the first step."""


def merged(*overrides: str) -> list[str]:
    """Return the overrides, each key once: the last wins."""
    chosen = {item.partition("=")[0]: item for item in overrides}
    return list(chosen.values())


def small_config(
    name: str, folder: Path, overrides: Sequence[str] = (), *, recipe: str = MULTITASK
) -> RunConfig:
    """Return the config of one small run below ``folder``."""
    path = CONFIGS / f"{recipe}.yaml"
    own = OF_PROJECT[load_config(path).project]
    places = (f"name={name}", f"folder={folder / 'runs'}", f"data.cache={folder / 'cache'}")
    return load_config(path, merged(*ALL, *own, *overrides, *places))
