"""A step with a frozen ViT-B beside the same step on the features that were kept of it.

    python -m benchmarks.frozen_features

Both in this one process, in turn, on the same batches; weights are random, which costs the same.
Writes the seconds of each step, their ratio, and the largest difference of a loss.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from cinelex.config.load import load_config
from cinelex.models.video_text import VideoText
from cinelex.projects import open_project
from cinelex.projects.multitask.project import MultitaskProject
from tests.tiny_run import MULTITASK

STEPS = 1
SETTINGS = (
    *(
        "data.size=224",
        "data.channels=3",
        "data.frames=2",
        "data.stored_frames=4",
        "data.sampling.draws=1",
    ),
    *("data.synthetic.train=2", "data.synthetic.val=1", "data.synthetic.test=1", "batch=2"),
    *("loss_weights.masked_modeling=0", "loss_weights.facts=0", "model.clip_pooling=mean"),
    "model.video_encoder={name: timm, options: {backbone: vit_base_patch16_224, heads: 4}}",
)


def step_s(project: MultitaskProject, model: VideoText, step: int) -> tuple[float, float]:
    """Return how long forward and backward of a batch take, and its contrastive loss."""
    began = time.perf_counter()
    terms = project.terms(model, next(project.batches(step)))
    torch.stack(list(terms.values())).sum().backward()
    model.zero_grad()
    return time.perf_counter() - began, float(terms["contrastive"].detach())


def main() -> None:
    """Measure both ways."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        cache = f"data.cache={folder}/cache"
        project = open_project(load_config(MULTITASK, [*SETTINGS, cache]), Path(folder) / "run")
        assert isinstance(project, MultitaskProject)
        model = project.model().train()
        model.video_encoder.get_submodule(model.video_encoder.trunk).requires_grad_(False)
        slow = [step_s(project, model, step) for step in range(STEPS)]
        began = time.perf_counter()
        assert "video" in project.ready(model)
        once_s = time.perf_counter() - began
        fast = [step_s(project, model, step) for step in range(STEPS + 8)]
    difference = max(abs(a[1] - b[1]) for a, b in zip(slow, fast, strict=False))
    slow_s, fast_s = median(one[0] for one in slow), median(one[0] for one in fast)
    sys.stdout.write(
        f"in every step {slow_s:.2f} s, kept {fast_s:.3f} s, ratio {slow_s / fast_s:.0f}; "
        f"made once in {once_s:.0f} s; losses differ by up to {difference:.1e}\n"
    )


if __name__ == "__main__":
    main()
