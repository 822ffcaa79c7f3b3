"""What a command loads before it has read its config."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

HEAVY = {
    "evaluate",
    "matplotlib",
    "open_clip",
    "optuna",
    "pandas",
    "peft",
    "sacrebleu",
    "scipy",
    "sklearn",
    "statsmodels",
    "sympy",
    "timm",
    "torch._dynamo",
    "torchvision",
    "transformers",
    "wandb",
}
"""Each takes from half a second to several; what uses it loads it."""


def test_training_command_loads_no_heavy_library_before_it_is_used() -> None:
    code = "import sys, cinelex.scripts.main; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "torch" in found
    assert not HEAVY & set(found)
