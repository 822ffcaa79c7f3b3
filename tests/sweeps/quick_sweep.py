"""A sweep's folder for tests, without the command line."""

from pathlib import Path
from typing import Any

from cinelex.config.load import load_config
from cinelex.sweeps.plan import read_plan
from cinelex.sweeps.settings import Settings, Sweep, create
from cinelex.sweeps.studies import Studies, open_studies
from tests.sweeps.quick_run import OBJECTIVE

ROOT = Path(__file__).parents[2]
MULTITASK = ROOT / "config" / "clip" / "multitask_config.yaml"
SHIPPED = ROOT / "config" / "clip" / "sweep_config_multitask.yaml"
HEAD = f"method: bayes\nmetric: {{name: {OBJECTIVE}, goal: maximize}}\nparameters:\n"
WEIGHT = "  loss_weights.contrastive: {distribution: uniform, min: 1.5, max: 3.0}\n"


def quick_sweep(folder: Path, text: str = HEAD + WEIGHT, *overrides: str, **changed: Any) -> Sweep:
    """Write a sweep file, and make the sweep's folder below ``folder``, or go back to it."""
    file = folder / "sweep.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    plan = read_plan(file)
    base = load_config(MULTITASK, [f"folder={folder}/runs", "device=cpu", *overrides])
    told: dict[str, Any] = {
        "sampler": "tpe",
        "pruner": "none",
        "metrics": [plan.metric],
        "count": 4,
        "seeds": 1,
        "final_seeds": 0,
    }
    home = folder / "sweep"
    settings = Settings(**{**told, **changed})
    return create(home, plan, base, settings, resume=True)


def filled(sweep: Sweep) -> Studies:
    """Return the studies of a sweep with everything in them that is to be tried."""
    studies = open_studies(sweep)
    studies.fill()
    return studies
