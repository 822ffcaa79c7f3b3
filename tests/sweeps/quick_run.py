"""Stands in for the training program where a test is about who runs it."""

import argparse
import json
import math
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from cinelex.config.load import dump_config, load_config
from cinelex.config.schema import RunConfig
from cinelex.core.exit_codes import BAD_INPUT, PREEMPTED

OBJECTIVE = "retrieval/study_to_report/recall_at_1"


def score(config: RunConfig) -> float:
    """Return what a run of this config reaches: best at contrastive 2.5, and seeds matter a bit."""
    weight = config.loss_weights.get("contrastive", 0.0)
    assert isinstance(weight, float | int)
    return math.exp(-((weight - 2.5) ** 2)) - 0.01 * (config.seed % 3)


def main(arguments: Sequence[str]) -> int:
    """Write the files of a run; the environment says how long a validation takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base_config")
    parser.add_argument("--print_config", action="store_true")
    parser.add_argument("overrides", nargs="*")
    told = parser.parse_intermixed_args(arguments)
    heard = told.overrides
    if "QUICK_RUN_DEAF" in os.environ:
        heard = [one for one in heard if not one.startswith("loss_weights")]
    config = load_config(told.base_config, heard)
    if told.print_config:
        sys.stdout.write(dump_config(config))
        return 0
    if score(config) < 0.1 and "QUICK_RUN_FAILS" in os.environ:
        sys.stderr.write("error: loss_weights.contrastive is too small\n")
        return BAD_INPUT
    folder = config.folder / config.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(dump_config(config))
    if run(config, folder):
        write_results(config, folder)
        return 0
    return PREEMPTED


def run(config: RunConfig, folder: Path) -> bool:
    """Write a validation for every tenth of the run; go on where a predecessor was stopped.

    The environment may let bad runs wait before their last step until somebody ends them.
    """
    asked: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, stop)
    waits_below = float(os.environ.get("QUICK_RUN_WAITS_BELOW", "-inf"))
    record = folder / "metrics.jsonl"
    first = len(record.read_text().splitlines()) if record.exists() else 0
    for step in range(first + 1, 11):
        time.sleep(float(os.environ.get("QUICK_RUN_S", "0")))
        while step == 10 and score(config) < waits_below:
            if asked:
                return False
            time.sleep(0.05)
        row = {"kind": "validation", "step": step, OBJECTIVE: score(config) * step / 10}
        with record.open("a") as stream:
            stream.write(json.dumps(row) + "\n")
        if asked or ("QUICK_RUN_PREEMPTED_EVERY" in os.environ and step < 10):
            return False
    return True


def write_results(config: RunConfig, folder: Path) -> None:
    """Write results with an interval and chance, on whatever split the config scores."""
    value = score(config)
    entry = {"value": value, "low": value - 0.05, "high": value + 0.05, "chance": 0.01}
    caption = {"value": 1 - value, "low": None, "high": None}
    names = [OBJECTIVE.replace("/", "."), "captioning.lesion_f1_10pp"]
    results = {
        "retrieval": {"study_to_report": {"recall_at_1": entry}},
        "captioning": {"lesion_f1_10pp": caption},
        "groups": [{"title": "", "note": "", "scores": names}],
        "split": config.data.test_split,
    }
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
