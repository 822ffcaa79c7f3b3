"""The command line of a run that takes seconds, and its parts."""

import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from cinelex.config.evaluation_schema import NULLS
from cinelex.config.load import load_config
from cinelex.runners.record import of_the_clock
from cinelex.scripts.main import main

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "config" / "clip"
MULTITASK = CONFIGS / "multitask_config.yaml"
EQ_CONFIG = ROOT / "config" / "eq" / "semantic_eq.yaml"
LATENT = ROOT / "config" / "latent" / "latent_config.yaml"
CLIPSE = ROOT / "config" / "clipse" / "sanw_adaptive.yaml"
PROBING = ROOT / "config" / "probing" / "probing_config.yaml"
STUDIES = {"train": 32, "val": 8, "test": 12}
STEPS = 6

DATA = (
    "data.size=32",
    "data.frames=4",
    "data.stored_frames=8",
    *(f"data.synthetic.{split}={count}" for split, count in STUDIES.items()),
    "data.synthetic.extra_view_rate=0.5",
    "data.synthetic.missing_view_rate=0.3",
)
EQ = (
    *("eq.synthetic.rows=300", "eq.synthetic.people=30", "eq.min_settings=20"),
    *("eq.folds=3", "eq.width=16", "eq.dim=4"),
)
ENGRAVINGS = (
    "data.size=32",
    *(f"latent.engravings.{split}={count}" for split, count in STUDIES.items()),
    *("model.width=32", "model.dim=16", "latent.size=48", "latent.memory_tokens=2"),
    *(
        f"model.{part}.options.depth=1"
        for part in ("video_encoder", "text_encoder", "caption_decoder")
    ),
    *("latent.image_decoder.options.width=8", "latent.interpolation_steps=3"),
)
IMAGES = (
    *(f"clipse.synthetic.{split}={count}" for split, count in STUDIES.items()),
    *("clipse.synthetic.stock_scenes=2", "data.size=16", "model.width=16", "model.dim=16"),
    *("model.video_encoder.options.base=8", "tokenizer.vocab_size=520"),
)
MODEL = (
    "model.width=32",
    "model.dim=16",
    *(
        f"model.{part}.options.depth=1"
        for part in ("video_encoder", "text_encoder", "caption_decoder", "masked_decoder")
    ),
    "model.masked_decoder.options.width=24",
    "model.video_encoder.options.tubelet=[4,8,8]",
)
PROBES = (
    *DATA,
    *("model.width=32", "model.video_encoder.options.tubelet=[4,8,8]"),
    *("probing.min_studies=8", "probing.ridge_components=8"),
)
TINY = {
    "multitask": (*DATA, *MODEL),
    "eq": EQ,
    "latent": ENGRAVINGS,
    "clipse": IMAGES,
    "probing": PROBES,
}
"""What makes the shipped configs of a project tiny."""
RUN = (
    "device=cpu",
    "threads=1",
    f"steps={STEPS}",
    "batch=8",
    "optimizer.warmup_steps=1",
    "log_every=1",
    "validate_every=2",
    "checkpoint_every=2",
    "evaluation.batch=8",
    "evaluation.bootstrap=50",
    "evaluation.max_new_tokens=24",
    "evaluation.report_examples=1",
    "evaluation.nulls=[]",  # half of what scoring a tiny run takes
)
WITH_NULLS = f"evaluation.nulls=[{','.join(NULLS)}]"
"""As a run is shipped, for tests that read what scores stand beside."""


@dataclass(frozen=True)
class FinishedRun:
    """A run that nothing interrupted. Tests read it; none changes its weights or its record."""

    path: Path
    """``runs/tiny``."""
    command: list[str]
    """What made it; a run mode can be put behind."""
    output: str
    """What it said."""


def arguments(folder: Path, cache: Path, *more: str, config: Path = MULTITASK) -> list[str]:
    """Return the command line of a tiny run in ``folder``; a later override wins."""
    chosen: dict[str, str] = {}
    options = []
    tiny = TINY[load_config(config).project]
    for item in (*tiny, *RUN, f"folder={folder}", f"data.cache={cache}", *more):
        key, equals, _ = item.partition("=")
        if equals:
            chosen[key] = item
        else:
            options.append(item)
    return ["--base_config", str(config), *options, *chosen.values()]


def call(command: Sequence[str]) -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, output and errors."""
    threads = torch.get_num_threads()
    with (
        contextlib.redirect_stdout(io.StringIO()) as out,
        contextlib.redirect_stderr(io.StringIO()) as complaints,
    ):
        try:
            code = main(command)
        finally:
            torch.set_num_threads(threads)
    return code, out.getvalue(), complaints.getvalue()


def succeed(command: Sequence[str]) -> str:
    """Run the command line in this process and return its output; it must succeed."""
    code, out, complaints = call(command)
    assert code == 0, complaints
    return out


def rows(run: Path) -> list[dict[str, Any]]:
    """Return the record of a run, without what differs from run to run: times and speeds."""
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [
        {name: value for name, value in json.loads(line).items() if not of_the_clock(name)}
        for line in lines
    ]


def assert_same_end(run: Path, other: Path) -> None:
    """Compare weights, optimizer and record of two finished runs to the bit."""
    end = f"checkpoints/step-{STEPS}"
    for name in ("model.safetensors", "optimizer.safetensors"):
        assert (run / end / name).read_bytes() == (other / end / name).read_bytes(), name
    assert rows(run) == rows(other)
    assert [row["step"] for row in rows(run) if row["kind"] == "step"] == [*range(1, STEPS + 1)]
