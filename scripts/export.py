"""Export a trained run as a folder that others can load. Started by ``cinelex export``."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from safetensors.torch import load_file

from cinelex.config.load import load_config
from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.core.errors import UserError
from cinelex.core.files import write_whole
from cinelex.core.folders import new_folder
from cinelex.core.tensors import save_tensors
from cinelex.metrics.facts.claims import sentences
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

MIN_PATIENTS = 5
"""A sentence that fewer reports hold might tell of whom it is."""
FORMATS: Mapping[str, EngineName] = {"safetensors": "torch", "onnx": "onnx", "int8": "int8"}
"""What ``--formats`` takes, and the engine that reads each."""


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = CommandLine(prog=prog("cinelex export"), description=__doc__)
    options.add_argument("run", type=Path, help="folder of a trained run, such as runs/multitask")
    options.add_argument("--out", type=Path, required=True, help="folder to create; must not exist")
    options.add_argument(
        "--formats",
        default="safetensors",
        help="any of safetensors,onnx,int8; weights are always written, int8 is made from onnx",
    )
    options.add_argument(
        "--sentences",
        type=int,
        metavar="N",
        help="include the sentences that occur verbatim in reports of N patients, so that captions "
        f"can be constrained to facts; at least {MIN_PATIENTS} (default: include none)",
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
    least = options.sentences
    if least is not None and least < MIN_PATIENTS:
        raise UserError(f"--sentences: fewer than {MIN_PATIENTS} patients are too few to hide in")
    with new_folder(options.out, "--out") as out:
        sealed = export(options.run, out, engines, least=least)
    say(f"written: {options.out}, hash {sealed[:16]}")
    return 0


def export(run: Path, out: Path, engines: set[EngineName], *, least: int | None = None) -> str:
    """Write a run's export, load it again in every form, and return its hash.

    Args:
        run: Its folder.
        out: The empty folder to write to.
        engines: The forms.
        least: Patients whose reports hold a sentence that may go along; None leaves all behind.

    Raises:
        UserError: There is no such run, or the export does not answer as the run does.
    """
    trained = load_run(run)
    write_export(trained, read_towers(run), out, [] if least is None else shared(run, least))
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
    say(f"loaded again as {', '.join(ordered)}")
    for name, one in found.items():
        value = one.recall_at_1["value"]
        shown = "undefined" if value is None else f"{value:.1%}"
        say(
            f"  {name}: R@1 {shown} of {one.studies} held-out studies, rows {one.differs:.1e} apart"
        )
    return sealed


def shared(run: Path, least: int) -> list[str]:
    """Return the sentences of training reports that many patients share, word for word.

    Raises:
        UserError: The run's studies are not here.
    """
    project: Any = open_project(load_config(run / "config.yaml"), run)
    studies = project.data.train.studies
    patients: dict[str, set[str]] = {}
    for report, patient in zip(studies.reports, studies.table["patient"].to_pylist(), strict=True):
        for sentence in sentences(report):
            patients.setdefault(sentence, set()).add(patient)
    return [sentence for sentence, whose in patients.items() if len(whose) >= least]


def _graphs(trained: TrainedRun, out: Path, engines: set[EngineName]) -> None:
    """Write the graphs that are asked for, and the answers of 8 bit to the made-up inputs."""
    if "onnx" not in engines:
        return
    proof = load_file(out / PROOF)
    write_graphs(trained.model, proof, out / "onnx")
    if "int8" in engines:
        quantise(out / "onnx", out / "int8")
        rows = answers_of_engine(OnnxEngine(out / "int8"), proof)
        save_tensors({**proof, **{f"int8.{name}": row for name, row in rows.items()}}, out / PROOF)


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
        patients=project.data.test.patient_groups,
    )
    return found, ""


if __name__ == "__main__":
    sys.exit(guarded(main))
