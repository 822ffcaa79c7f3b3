"""From a trained run to a folder that others load. Started by ``cinelex export``."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from safetensors.torch import load_file, save_file

from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.projects import open_project
from cinelex.projects.interface.results import read_results
from cinelex.projects.interface.towers import read_towers
from cinelex.trained.card import card
from cinelex.trained.engines import Engine, OnnxEngine
from cinelex.trained.exported import EngineName, load_export, seal, write_export
from cinelex.trained.graphs import quantise, write_graphs
from cinelex.trained.held_out import Found, measure
from cinelex.trained.loading import load_run
from cinelex.trained.proof import PROOF, answers_of_engine
from cinelex.trained.run import TrainedRun
from cinelex.trained.towers import write_towers

FORMATS: Mapping[str, EngineName] = {"safetensors": "torch", "onnx": "onnx", "int8": "int8"}
"""What ``--formats`` takes, and the engine that reads each."""


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(prog=prog("cinelex export"), description=__doc__)
    options.add_argument("run", type=Path, help="folder of a trained run, such as runs/multitask")
    options.add_argument("--out", type=Path, required=True, help="a folder that is not there yet")
    options.add_argument(
        "--formats",
        default="safetensors",
        help="of safetensors,onnx,int8; the weights are always written, int8 is made from onnx",
    )
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return 0, or 2 for bad input."""
    options = parser().parse_args(arguments)
    wanted = options.formats.split(",")
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise UserError(f"--formats: {unknown[0]!r} is none of {', '.join(FORMATS)}")
    engines: set[EngineName] = {"torch", *(FORMATS[name] for name in wanted)}
    if "int8" in engines:
        engines.add("onnx")
    export(options.run, options.out, engines)
    return 0


def export(run: Path, out: Path, engines: set[EngineName]) -> str:
    """Write a run's export, load it again in every form, and return its hash.

    Raises:
        UserError: The folder is there, there is no such run, or the export does not answer as the
            run does.
    """
    if out.exists():
        raise UserError(f"--out: {out} is there already; name a folder that is not")
    trained = load_run(run)
    write_export(trained, read_towers(run), out)
    towers = write_towers(trained.model, out / "towers")
    _graphs(trained, out, engines)
    seal(out)
    ordered = [name for name in get_args(EngineName) if name in engines]
    forms: dict[str, Engine] = {"run": trained.engine}
    forms |= {name: load_export(out, engine=name).engine for name in ordered}
    found, why = _measured(run, forms)
    text = card(trained.config, read_results(run), found, towers, unmeasured=why)
    write_whole(out / "README.md", text)
    sealed = seal(out)
    say(f"written: {out}, hash {sealed[:16]}; loaded again as {', '.join(ordered)}")
    for name, one in found.items():
        value = one.recall_at_1["value"]
        shown = "undefined" if value is None else f"{value:.1%}"
        say(
            f"  {name}: R@1 {shown} of {one.studies} held-out studies, rows {one.differs:.1e} apart"
        )
    return sealed


def _graphs(trained: TrainedRun, out: Path, engines: set[EngineName]) -> None:
    """Write the graphs that are asked for, and the answers of 8 bit to the made-up inputs."""
    if "onnx" not in engines:
        return
    proof = load_file(out / PROOF)
    write_graphs(trained.model, proof, out / "onnx")
    if "int8" in engines:
        quantise(out / "onnx", out / "int8")
        rows = answers_of_engine(OnnxEngine(out / "int8"), proof)
        save_file({**proof, **{f"int8.{name}": row for name, row in rows.items()}}, out / PROOF)


def _measured(run: Path, forms: Mapping[str, Engine]) -> tuple[dict[str, Found], str]:
    """Return what each form scores on held-out studies; nothing and why where they are not here."""
    config = load_config(run / "config.yaml")
    try:
        project: Any = open_project(config, run)
    except UserError as problem:
        say(f"R@1 of the export is not measured: {problem}")
        return {}, "the run's studies are not on this machine"
    settings = config.evaluation
    found = measure(
        forms,
        project.data.test,
        batch=settings.batch,
        resamples=settings.bootstrap,
        seed=config.seed,
    )
    return found, ""


if __name__ == "__main__":
    sys.exit(guarded(main))
