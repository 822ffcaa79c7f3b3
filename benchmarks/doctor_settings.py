"""The small seeded run of the synthetic study set in which the doctor is tried."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from config.load import load_config
from config.schema import RunConfig

RECIPES = Path("config/clip")
STEPS = 210
"""Just past the step from which on rules about learning speak."""
PROBE_EVERY = 4
"""50 probes in a run."""
OVERRIDES = (
    "device=cpu",
    "threads=1",
    f"steps={STEPS}",
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
    "optimizer.warmup_steps=20",
    "log_every=30",
    "validate_every=0",
    f"checkpoint_every={STEPS}",
    f"probe_every={PROBE_EVERY}",
    "evaluation.bootstrap=200",
    "evaluation.report_examples=1",
    "evaluation.caption_words=64",
)
SMALL = ("data.synthetic.train=96", "data.synthetic.val=24", "data.synthetic.test=24")
"""A set that is made in seconds, for what shows before the first step."""


def merged(*overrides: str) -> list[str]:
    """Return the overrides of the small run, with others on top: the last of a key wins."""
    chosen = {item.partition("=")[0]: item for item in (*OVERRIDES, *overrides)}
    return list(chosen.values())


def small_config(
    name: str,
    folder: Path,
    overrides: Sequence[str] = (),
    *,
    recipe: str = "multitask_config",
) -> RunConfig:
    """Return the config of one small run below ``folder``; an older run there is removed."""
    shutil.rmtree(folder / "runs" / name, ignore_errors=True)
    places = (f"name={name}", f"folder={folder / 'runs'}", f"data.cache={folder / 'cache'}")
    return load_config(RECIPES / f"{recipe}.yaml", merged(*overrides, *places))
