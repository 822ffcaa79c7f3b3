"""The commands of ``cinelex``: a line for each, with the module that does it.

A module named here has ``parser()``, its options for the completion, and ``main(arguments)``,
which returns an exit code.
"""

from dataclasses import dataclass

CONFIG = "--base_config config/clip/multitask_config.yaml"
RUN = "cinelex.scripts.run"


@dataclass(frozen=True, kw_only=True)
class Command:
    """What is known of a command before its module is loaded."""

    what: str
    """A line of the list of commands."""
    module: str
    examples: tuple[str, ...]
    """Command lines without ``cinelex NAME``, each with two blanks and a comment behind."""
    mode: str | None = None
    """What its module is told, as ``--run_mode``, where it does several things."""
    group: str = "look"
    """A heading of the list of commands."""


def _run(what: str, *examples: str, group: str = "use", mode: str) -> Command:
    """Return a run mode as a command."""
    return Command(what=what, module=RUN, examples=examples, mode=mode, group=group)


GROUPS = {n: n for n in ("begin", "train", "use", "look", "tools")} | {
    "use": "use what was trained"
}
"""The headings of the list of commands, in its order."""

COMMANDS = {
    "scan": Command(
        what="look at a folder or a manifest and say what is there, in seconds",
        module="cinelex.scripts.scan",
        group="begin",
        examples=(
            "studies.csv  # columns, studies, splits, missing files, how the videos look",
            "export/  # tables, videos, DICOM files, and what to do with them",
        ),
    ),
    "init": Command(
        what="write a config for a manifest or a folder, with a reason behind each key",
        module="cinelex.scripts.init",
        group="begin",
        examples=(
            "studies.csv  # writes config.yaml; then: cinelex train --base_config config.yaml",
            "videos/ --out exercise.yaml  # videos with a text beside each",
        ),
    ),
    "export": Command(
        what="write a trained run as a folder that others load, which proves itself",
        module="cinelex.scripts.export",
        group="use",
        examples=(
            "runs/multitask --out exported/  # weights, tokenizer, model card",
            "runs/multitask --out exported/ --formats safetensors,onnx,int8  # graphs as well",
        ),
    ),
    "bundle": Command(
        what="write a trained run as a folder that another site evaluates",
        module="cinelex.scripts.bundle",
        group="use",
        examples=("runs/multitask --out bundle/  # no patient data in it, one hash over all",),
    ),
    "evaluate": Command(
        what="evaluate a bundle on this site's studies; a page and counts come out",
        module="cinelex.scripts.evaluate",
        group="use",
        examples=(
            "bundle/ --dicom export/ --reports reports.csv --out result/  # from DICOM files",
            "bundle/ report=text --manifest studies.csv --out result/  # or from a manifest",
        ),
    ),
    "prepare": Command(
        what="make a de-identified data set of a hospital's folder of DICOM files",
        module="cinelex.scripts.prepare",
        group="begin",
        examples=(
            "--demo  # all of it on a synthetic hospital, in minutes",
            "--dicom export/ --reports reports.csv --out dataset/  # or go on with it",
        ),
    ),
    "ingest": _run(
        "decode every video into the cache, as training would do first",
        f"{CONFIG} data.manifest=studies.csv  # on a machine without a GPU",
        f"{CONFIG} data.manifest=studies.csv --part 3/16  # one share of sixteen",
        mode="ingest",
        group="begin",
    ),
    "train": _run(
        "train, or go on training, then evaluate and write the report",
        f"{CONFIG}  # on a synthetic study set, on whatever device is there",
        "--base_config config.yaml --selected_gpus 0,1,2  # a process on each GPU",
        "--base_config config.yaml name=colder temperature=0.05  # any key can be set",
        "--base_config config.yaml --print_config  # what would run",
        mode="train",
        group="train",
    ),
    "sweep": Command(
        what="train many runs of one config with other values, and say what is inside the noise",
        module="cinelex.scripts.sweep",
        group="train",
        examples=(
            f"{CONFIG} --sweep_config config/clip/sweep_config_multitask.yaml --count 20"
            "  # W&B or Optuna chooses",
            "--base_config config.yaml --sweep_config sweep.yaml --check_only  # refuse, or not",
        ),
    ),
    "estimate": _run(
        "say what a step costs, building and reading nothing",
        f"{CONFIG} --card h100-80gb --processes 8  # before a card is rented",
        mode="estimate",
        group="train",
    ),
    "profile": _run(
        "write a trace of a few steps, and a table of where a step goes",
        f"{CONFIG} --steps 20  # profile/profile.md and trace.json.gz in the run's folder",
        mode="profile",
        group="train",
    ),
    "features": _run(
        "run frozen towers over every clip and report, and keep it",
        "--base_config config/clip/frozen_features.yaml data.manifest=studies.csv"
        "  # then train on them",
        mode="features",
        group="train",
    ),
    "validate": _run(
        "evaluate a trained run again and write the report",
        "--base_config runs/multitask  # of the run's own config",
        "--base_config runs/multitask --label warm temperature=0.2  # apart, so called",
        mode="validate",
    ),
    "repeat": _run(
        "make the first step without a finite gradient again, and say where that begins",
        "--base_config runs/multitask  # terms, parts and samples; nothing of the run is changed",
        mode="repeat",
    ),
    "inference": _run(
        "describe studies that need no report",
        "--base_config runs/multitask data.inference_manifest=new.csv  # predictions/inference.csv",
        mode="inference",
    ),
    "embed": _run(
        "write the embeddings of studies, clips and reports",
        "--base_config runs/multitask  # Parquet, with ids and hashes",
        mode="embed",
    ),
    "index": Command(
        what="index the studies of a trained run, so that they can be searched",
        module="cinelex.library.indexing",
        group="use",
        examples=("runs/multitask --manifest more.csv  # only new studies are encoded",),
    ),
    "cardiobench": Command(
        what="write predictions in the files that the harness CardioBench evaluates",
        module="cinelex.scripts.cardiobench",
        group="use",
        examples=(
            "runs/echo --task CAMUS/EF --split_file camus.csv --out predicted/  # EF/echo.csv",
        ),
    ),
    "demo": Command(
        what="search studies in a browser: by a finding, by videos or by a study",
        module="cinelex.library.demo",
        group="use",
        examples=(
            "runs/multitask  # on this machine alone",
            "runs/multitask --host 0.0.0.0 --tokens people.txt  # for those who have a token",
            "runs/multitask --pacs 'https://pacs.example/view?study={study_id}'",
        ),
    ),
    "caption": Command(
        what="write a report about the videos of one study",
        module="cinelex.scripts.use",
        mode="caption",
        group="use",
        examples=("runs/multitask a.mp4 b.mp4  # all videos of the study, in any order",),
    ),
    "facts": Command(
        what="say what the heads of a run find in the videos of one study",
        module="cinelex.scripts.use",
        mode="facts",
        group="use",
        examples=("runs/multitask a.mp4 b.mp4  # of a run that was trained with facts",),
    ),
    "search": Command(
        what="find the reports nearest to a study, beside what a report at random scores",
        module="cinelex.scripts.use",
        mode="search",
        group="use",
        examples=(
            "runs/multitask a.mp4 b.mp4 --reports reports.csv --count 3  # the nearest three",
        ),
    ),
    "doctor": Command(
        what="ask the doctor about a run, logs, a write-up, predictions or loss weights",
        module="cinelex.doctor.__main__",
        examples=(
            "check runs/multitask  # what the rules find",
            "logs wandb_export.csv  # which claims the curves support",
            "claims results.md runs/multitask  # which numbers the run bears out",
            "predictions table.parquet --manifest studies.csv  # of any system, untrained",
        ),
    ),
    "runs": Command(
        what="list, show, compare and rank finished runs",
        module="cinelex.scripts.finished_runs.command",
        examples=(
            "list  # all that finished, with their hashes",
            "compare --first runs/a-seed* --second runs/b-seed*  # paired by person and seed",
            "leaderboard --by recall_at_1  # a table for each protocol",
        ),
    ),
    "run": Command(
        what="run one config in any run mode, as scripts/runner.sh does",
        module=RUN,
        group="tools",
        examples=(
            f"{CONFIG} --run_mode doctor  # all that can be known without training",
            "--base_config config/eq/semantic_eq.yaml --run_mode generate warm bright"
            "  # a mode of one system",
        ),
    ),
    "cache": Command(
        what="list, verify, prune or retry decoded frames",
        module="cinelex.scripts.cache",
        group="tools",
        examples=("list  # which stores there are, how large, when last read",),
    ),
    "completion": Command(
        what="print what completes commands and options in a shell",
        module="cinelex.scripts.completion",
        group="tools",
        examples=(
            "bash > ~/.local/share/bash-completion/completions/cinelex  # again after an update",
            'zsh > "${fpath[1]}/_cinelex"',
            "fish > ~/.config/fish/completions/cinelex.fish",
        ),
    ),
}
"""Every command by its name; none stands here before it works."""
