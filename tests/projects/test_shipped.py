"""Every shipped config makes a model and losses that fit one another."""

from pathlib import Path

import pytest
import torch

from cinelex.config.load import load_config
from cinelex.projects import PROJECTS
from tests.projects.ranks_worker import measure, overrides_of
from tests.tiny_run import ROOT, arguments

NEED_A_DOWNLOAD = ("openclip", "gpu_24gb", "gpu_80gb", "gpu_8x80gb", "frozen_features")
"""Whose shapes are checked without it, in tests/runners/test_estimate.py and of OpenCLIP's own."""
OF_OTHER_SIZES = ("small_data", "small_pretrained")
"""Have tests of their own."""
SHIPPED = [
    path
    for path in sorted((ROOT / "config").glob("*/*.yaml"))
    if not path.name.startswith("sweep_") and path.stem not in (*NEED_A_DOWNLOAD, *OF_OTHER_SIZES)
]


@pytest.mark.parametrize("config", SHIPPED, ids=lambda path: path.stem)
def test_every_parameter_learns_from_finite_terms(
    config: Path, study_cache: Path, tmp_path: Path
) -> None:
    overrides = overrides_of(arguments(tmp_path, study_cache, config=config))
    found = measure(overrides, tmp_path, config=config)
    terms = [name.removeprefix("term/") for name in found if name.startswith("term/")]
    assert set(terms) <= set(PROJECTS[load_config(config).project].terms)
    assert terms
    assert all(torch.isfinite(value).all() for value in found.values())
    if config.stem == "baseline":
        torch.testing.assert_close(found["term/contrastive"], found["term/ce"])
