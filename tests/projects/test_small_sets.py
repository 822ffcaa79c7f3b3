"""The smallest sets train and are evaluated to the end; what says nothing there is undefined."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.tiny_run import CLIPSE, LATENT, MULTITASK, arguments, succeed

pytestmark = pytest.mark.slow

FEW = ("steps=2", "validate_every=1", "evaluation.bootstrap=10", "evaluation.max_new_tokens=4")
CASES = {
    "multitask": (MULTITASK, "data.synthetic.{}", "study_to_report"),
    "latent": (LATENT, "latent.engravings.{}", "study_to_report"),
    "clipse": (CLIPSE, "clipse.synthetic.{}", "image_to_text"),
}


def trained(folder: Path, name: str, *more: str) -> dict[str, Any]:
    config, key, _ = CASES[name]
    sizes = [f"{key.format(split)}={n}" for split, n in (("train", 9), ("val", 1), ("test", 1))]
    command = arguments(
        folder, folder / "cache", f"name={name}", *FEW, *sizes, *more, config=config
    )
    succeed(command)
    found: dict[str, Any] = json.loads((folder / name / "results.json").read_text())
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_single_held_out_sample_leaves_retrieval_undefined(name: str, tmp_path: Path) -> None:
    results = trained(tmp_path, name)
    entry = results["retrieval"][CASES[name][2]]["recall_at_1"]
    assert (entry["value"], entry["low"], entry["high"]) == (None, None, None)
    if "captioning" in results:
        shuffled = results["captioning"]["bleu1"]["baselines"]["shuffled"]
        assert shuffled["value"] is None
        assert shuffled["margin"]["value"] is None
        assert results["captioning"]["bleu1"]["value"] is not None


def test_equal_reports_everywhere_leave_a_gallery_of_one(tmp_path: Path) -> None:
    results = trained(
        tmp_path,
        "multitask",
        "data.synthetic.test=3",
        "data.synthetic.lesion_rate=0",
        "data.synthetic.duplicate_report_rate=1",
    )
    assert results["retrieval"]["study_to_report"]["recall_at_1"]["value"] is None
    assert results["losses"]["captioning"]["value"] > 0
