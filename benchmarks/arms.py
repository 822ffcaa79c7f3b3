"""Ways to train the main recipe beside each other, each with several seeds, in one table.

    python -m benchmarks.arms losses|balance|telling|targets [--seeds 0,1,2] [--rates 0.3,1,3]
        [--folder runs/arms] [key.path=value ...]

What a way changes stands in ``ARMS``. What is given on the command line changes all of them:
``data.synthetic.train=600 steps=300`` makes a small table. ``targets`` compares what probes read
from the encoders, each way with the one of ``--rates``, multiples of the recipe's learning rates,
whose probes have the least loss on the validation studies of the first seed; of ``telling``, a
decoder that nothing holds is in each run's nulls. What is finished in the folder is not trained
again, so that another set of studies needs another folder.
"""

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.doctor_document import table
from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import command, guarded
from cinelex.doctor.run_files import read_steps
from cinelex.projects.interface.results import read_results
from cinelex.scripts.run_seeds import agreement, read_seeds

ROOT = Path(__file__).parents[1]
RECIPE, PROBES = "clip/multitask_config.yaml", "probing/probing_config.yaml"
LATENTS = "masked_modeling.target=latent"


def without(*terms: str) -> tuple[str, ...]:
    """Return what takes these terms out of the loss."""
    return tuple(f"loss_weights.{term}=0" for term in terms)


MASKED_ALONE = (
    *without("contrastive", "captioning", "facts"),
    "loss_weights.masked_modeling=1",
    "data.max_videos=1",  # of a study, another in each step: no more are masked
)
PROBED = ("steps=200", "validate_every=20")  # a few hundred studies are learned by heart in more
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


def at_rate(multiple: float) -> tuple[str, ...]:
    """Return what multiplies the learning rates of the main recipe."""
    optimizer = load_config(ROOT / "config" / RECIPE, []).optimizer
    muon = optimizer.parts["video_encoder"].muon_learning_rate
    return (
        f"optimizer.learning_rate={multiple * optimizer.learning_rate}",
        f"optimizer.parts.video_encoder.muon_learning_rate={multiple * (muon or 0)}",
    )


def train(run: Path, recipe: str, changes: Sequence[str]) -> Path:
    """Return the folder of a finished run, which is trained where it is not there."""
    if read_results(run) is None:
        last = list({item.partition("=")[0]: item for item in changes}.values())
        whose = [f"name={run.name}", f"folder={run.parent}"]
        words = ["--base_config", str(ROOT / "config" / recipe), *whose]
        runner = [sys.executable, "-m", "cinelex.scripts.main", *words, *last]
        if code := subprocess.run(runner, check=False, stdout=subprocess.DEVNULL).returncode:
            sys.exit(code)  # it has said why
    return run


def probed(base: Path, changes: Sequence[str], rate: str, seed: int) -> Path:
    """Return the run of the probes of an encoder, which is trained with these rates before."""
    run = Path(f"{base}-rate{rate}-seed{seed}")
    train(run, RECIPE, [*at_rate(float(rate)), *changes, f"seed={seed}"])
    studies = [item for item in changes if item.startswith("data.synthetic.")]
    probes = run.with_name(f"{run.name}-probes")
    return train(probes, PROBES, [*studies, *PROBED, f"probing.run={run}", f"seed={seed}"])


def least_validation_loss(probes: Path) -> float:
    """Return the mean loss of probes on the validation studies, at the best of the steps."""
    return min(row["probing/loss"] for row in read_steps(probes, kind="validation"))


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
    parser.add_argument("--rates", default="1")
    parser.add_argument("--folder", type=Path, default=Path("runs/arms"))
    parser.add_argument("changes", nargs="*", metavar="key.path=value")
    options = parser.parse_intermixed_args()
    seeds, rates, rows = read_seeds(options.seeds), options.rates.split(","), []
    for place, (way, own) in enumerate(ARMS[options.table].items()):
        base, changes = options.folder / f"{options.table}{place}", [*options.changes, *own]
        if options.table != "targets":
            runs = [train(Path(f"{base}-seed{n}"), RECIPE, [*changes, f"seed={n}"]) for n in seeds]
        else:
            tried = {rate: probed(base, changes, rate, seeds[0]) for rate in rates}
            best = min(tried, key=lambda rate: least_validation_loss(tried[rate]))
            runs = [tried[best], *(probed(base, changes, best, seed) for seed in seeds[1:])]
            way = f"{way}, rates times {best}"
        rows.append([way, *cells_of(runs)])
    say(table(["", *map(" ".join, SCORES)], rows))
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
