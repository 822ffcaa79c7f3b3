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
    "pyarrow",
    "sacrebleu",
    "scipy",
    "sklearn",
    "statsmodels",
    "sympy",
    "timm",
    "torch._dynamo",
    "torchvision",
    "transformers",
    "triton",
    "wandb",
}
"""Each takes from half a second to several; what uses it loads it."""


def loaded_by(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(ended.stdout.split())


def test_training_command_loads_no_heavy_library_before_it_is_used() -> None:
    found = loaded_by("cinelex.scripts.main")
    assert "torch" in found
    assert not HEAVY & found


def test_preparing_data_waits_for_no_library_that_trains() -> None:
    found = loaded_by("cinelex.scripts.prepare")
    assert "pydicom" in found
    assert not {"torch", "matplotlib", "sklearn", "transformers"} & found
