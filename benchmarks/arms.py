"""Ways to train the main recipe beside each other, each with several seeds, in one table.

    python -m benchmarks.arms losses|balance|telling|targets [--seeds 0,1,2] [key.path=value ...]

What a way changes stands in ``ARMS``. What is given on the command line changes all of them:
``data.synthetic.train=600 steps=300`` makes a small table. ``targets`` compares what probes read
from the encoders; of ``telling``, a decoder that nothing holds is in each run's nulls. Runs go to
``runs/arms``; what is finished there is not trained again.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.doctor_document import table
from cinelex.core.console import say
from cinelex.core.entry import command, guarded
from cinelex.projects.interface.results import read_results
from cinelex.scripts.run_seeds import agreement, read_seeds

ROOT = Path(__file__).parents[1]
RECIPE, PROBES = "clip/multitask_config.yaml", "probing/probing_config.yaml"
FOLDER = Path("runs/arms")
LATENTS = "masked_modeling.target=latent"


def without(*terms: str) -> tuple[str, ...]:
    """Return what takes these terms out of the loss."""
    return tuple(f"loss_weights.{term}=0" for term in terms)


MASKED_ALONE = (*without("contrastive", "captioning", "facts"), "loss_weights.masked_modeling=1")
ARMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "losses": {
        "contrast": without("captioning", "masked_modeling", "facts"),
        "contrast and captions": without("masked_modeling", "facts"),
        "contrast and facts": without("captioning", "masked_modeling"),
        "all": (),
    },
    "balance": {
        name: (f"balance.name={name}",)
        for name in ("fixed", "shares", "uncertainty", "famo", "upgrad")
    },
    "telling": {
        "held to the facts": (),
        "held to them and shown them": ("model.facts_in_memory=true",),
    },
    "targets": {
        "as it was drawn": (*MASKED_ALONE, "steps=1", "optimizer.warmup_steps=0"),
        "pixels": MASKED_ALONE,
        "latents": (*MASKED_ALONE, LATENTS),
        "latents, also of visible tokens": (*MASKED_ALONE, LATENTS, "masked_modeling.visible=true"),
    },
}
SCORES = (  # groups, and how labels begin
    ("Study to report", "Recall at 1"),
    ("Report to study", "Recall at 1"),
    ("Captions", "Lesion F1, segment and ±10 points"),
    ("Captions", "Percentages recalled"),
    ("Captions", "Lesions invented"),
    ("Facts", "Stenosis, AUROC of presence"),
    ("Probes", "linear: AUROC"),
    ("Probes", "attentive: AUROC"),
)


def train(name: str, recipe: str, changes: Sequence[str]) -> Path:
    """Return the folder of a finished run, which is trained where it is not there."""
    run = FOLDER / name
    if read_results(run) is None:
        last = list({item.partition("=")[0]: item for item in changes}.values())
        words = ["--base_config", str(ROOT / "config" / recipe), f"name={name}", f"folder={FOLDER}"]
        runner = [sys.executable, "-m", "cinelex.scripts.main", *words, *last]
        if code := subprocess.run(runner, check=False, stdout=subprocess.DEVNULL).returncode:
            sys.exit(code)  # it has said why
    return run


def cells_of(runs: Sequence[Path]) -> list[str]:
    """Return the scores of a way: mean over the seeds, and Student's interval of it."""
    rows, cells = agreement(runs), []
    for group, label in SCORES:
        found = (r for r in rows if r["group"] == group and r["score"].startswith(label))
        row = next(found, None)
        cells.append(f"{row['mean']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" if row else "–")
    return cells


@command
def main() -> int:
    """Train what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=ARMS)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("changes", nargs="*", metavar="key.path=value")
    options = parser.parse_intermixed_args()
    rows = []
    for place, (way, own) in enumerate(ARMS[options.table].items()):
        runs = []
        for seed in read_seeds(options.seeds):
            name = f"{options.table}{place}-seed{seed}"
            run = train(name, RECIPE, [*options.changes, *own, f"seed={seed}"])
            if options.table == "targets":
                asked = [item for item in options.changes if item.startswith("data.")]
                probed = [*asked, f"probing.run={run}", f"seed={seed}"]
                run = train(f"{name}-probes", PROBES, probed)
            runs.append(run)
        rows.append([way, *cells_of(runs)])
    say(table(["", *map(" ".join, SCORES)], rows))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
