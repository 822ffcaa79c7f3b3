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
    """Command lines without ``cinelex NAME``, each followed by two spaces and a comment."""
    mode: str | None = None
    """The ``--run_mode`` that is passed to its module, for a module with several."""
    group: str = "inspect and compare"
    """A heading of the list of commands."""


def _run(what: str, *examples: str, group: str = "use a trained run", mode: str) -> Command:
    """Return a run mode as a command."""
    return Command(what=what, module=RUN, examples=examples, mode=mode, group=group)


GROUPS = ("get started", "train", "use a trained run", "inspect and compare", "tools")
"""The headings of the list of commands, in its order."""

COMMANDS = {
    "scan": Command(
        what="summarise what a folder or a manifest contains, in seconds",
        module="cinelex.scripts.scan",
        group="get started",
        examples=(
            "studies.csv  # columns, studies, splits, missing files, what the videos look like",
            "export/  # tables, videos, DICOM files, and what to do with them",
        ),
    ),
    "init": Command(
        what="write a config for a manifest or a folder, with a comment that explains each key",
        module="cinelex.scripts.init",
        group="get started",
        examples=(
            "studies.csv  # writes config.yaml; then: cinelex train --base_config config.yaml",
            "videos/ --out exercise.yaml  # videos with a text file beside each",
        ),
    ),
    "export": Command(
        what="export a trained run as a self-checking folder that others can load",
        module="cinelex.scripts.export",
        group="use a trained run",
        examples=(
            "runs/multitask --out exported/  # weights, tokenizer, model card",
            "runs/multitask --out exported/ --formats safetensors,onnx,int8  # also as ONNX graphs",
        ),
    ),
    "bundle": Command(
        what="package a trained run for evaluation at another site",
        module="cinelex.scripts.bundle",
        group="use a trained run",
        examples=("runs/multitask --out bundle/  # no patient data in it, one hash over all",),
    ),
    "evaluate": Command(
        what="evaluate a bundle on this site's studies; writes a report page and counts only",
        module="cinelex.scripts.evaluate",
        group="use a trained run",
        examples=(
            "bundle/ --dicom export/ --reports reports.csv --out result/  # from DICOM files",
            "bundle/ report=text --manifest studies.csv --out result/  # or from a manifest",
        ),
    ),
    "prepare": Command(
        what="turn a hospital's folder of DICOM files into a de-identified data set",
        module="cinelex.scripts.prepare",
        group="get started",
        examples=(
            "--demo  # try it on a synthetic hospital, in minutes",
            "--dicom export/ --reports reports.csv --out dataset/  # again: resume, add files",
        ),
    ),
    "ingest": _run(
        "decode every video into the cache, which training would otherwise do first",
        f"{CONFIG} data.manifest=studies.csv  # on a machine without a GPU",
        f"{CONFIG} data.manifest=studies.csv --part 3/16  # only the third of sixteen shares",
        mode="ingest",
        group="get started",
    ),
    "train": _run(
        "train or resume training, then evaluate and write the report",
        f"{CONFIG}  # synthetic studies, on whatever device it finds",
        "--base_config config.yaml --selected_gpus 0,1,2  # one process per GPU",
        "--base_config config.yaml name=colder temperature=0.05  # override any config key",
        "--base_config config.yaml --print_config  # print the resolved config and exit",
        mode="train",
        group="train",
    ),
    "sweep": Command(
        what="search hyperparameters, and say whether the winner is better than noise",
        module="cinelex.scripts.sweep",
        group="train",
        examples=(
            f"{CONFIG} --sweep_config config/clip/sweep_config_multitask.yaml --count 20"
            "  # W&B or Optuna picks the trials",
            "--base_config config.yaml --sweep_config sweep.yaml --check_only  # only validate it",
        ),
    ),
    "estimate": _run(
        "estimate memory and time of a step, without building the model or reading data",
        f"{CONFIG} --card h100-80gb --processes 8  # before you rent a GPU",
        mode="estimate",
        group="train",
    ),
    "profile": _run(
        "profile a few steps: a trace, and a table of where the time goes",
        f"{CONFIG} --steps 20  # profile/profile.md and trace.json.gz in the run's folder",
        mode="profile",
        group="train",
    ),
    "features": _run(
        "compute and cache the features of frozen towers for every clip and report",
        "--base_config config/clip/frozen_features.yaml data.manifest=studies.csv"
        "  # then train on the features",
        mode="features",
        group="train",
    ),
    "validate": _run(
        "evaluate a trained run again and write the report",
        "--base_config runs/multitask  # with the run's own config",
        "--base_config runs/multitask --label warm temperature=0.2  # results apart, under a name",
        mode="validate",
    ),
    "repeat": _run(
        "replay the first step whose gradient was not finite, and say where that starts",
        "--base_config runs/multitask  # by loss term, module and sample; the run is not changed",
        mode="repeat",
    ),
    "inference": _run(
        "predict on studies without reports: captions, facts, nearest studies",
        "--base_config runs/multitask data.inference_manifest=new.csv  # predictions/inference.csv",
        mode="inference",
    ),
    "embed": _run(
        "write the embeddings of studies, clips and reports",
        "--base_config runs/multitask  # Parquet, with ids and hashes",
        mode="embed",
    ),
    "index": Command(
        what="index the studies of a trained run for search",
        module="cinelex.library.indexing",
        group="use a trained run",
        examples=("runs/multitask --manifest more.csv  # encodes only new studies",),
    ),
    "cardiobench": Command(
        what="write predictions in the format of the CardioBench harness",
        module="cinelex.scripts.cardiobench",
        group="use a trained run",
        examples=(
            "runs/echo --task CAMUS/EF --split_file camus.csv --out predicted/  # EF/echo.csv",
        ),
    ),
    "demo": Command(
        what="search studies in a browser by finding, by videos or by study",
        module="cinelex.library.demo",
        group="use a trained run",
        examples=(
            "runs/multitask  # reachable from this machine only",
            "runs/multitask --host 0.0.0.0 --tokens people.txt  # for anyone with a token",
            "runs/multitask --pacs 'https://pacs.example/view?study={study_id}'",
        ),
    ),
    "caption": Command(
        what="write the report of one study from its videos",
        module="cinelex.scripts.use",
        mode="caption",
        group="use a trained run",
        examples=("runs/multitask a.mp4 b.mp4  # all videos of the study, in any order",),
    ),
    "facts": Command(
        what="list the facts that a run's heads find in the videos of one study",
        module="cinelex.scripts.use",
        mode="facts",
        group="use a trained run",
        examples=("runs/multitask a.mp4 b.mp4  # for a run trained with the facts term",),
    ),
    "search": Command(
        what="find the reports nearest to a study, beside the score of a random report",
        module="cinelex.scripts.use",
        mode="search",
        group="use a trained run",
        examples=(
            "runs/multitask a.mp4 b.mp4 --reports reports.csv --count 3  # the nearest three",
        ),
    ),
    "doctor": Command(
        what="examine a run, logs, a write-up, predictions or loss weights",
        module="cinelex.doctor.__main__",
        examples=(
            "check runs/multitask  # what the rules find",
            "logs wandb_export.csv  # which claims the curves support",
            "claims results.md runs/multitask  # which numbers the run supports",
            "predictions table.parquet --manifest studies.csv  # from any system; trains nothing",
        ),
    ),
    "runs": Command(
        what="list, show, compare and rank finished runs",
        module="cinelex.scripts.finished_runs.command",
        examples=(
            "list  # all finished runs, with their hashes",
            "compare --first runs/a-seed* --second runs/b-seed*  # paired by person and seed",
            "leaderboard --by recall_at_1  # one table per evaluation protocol",
        ),
    ),
    "run": Command(
        what="run one config in any run mode, as scripts/runner.sh does",
        module=RUN,
        group="tools",
        examples=(
            f"{CONFIG} --run_mode doctor  # examine everything without training",
            "--base_config config/eq/semantic_eq.yaml --run_mode generate warm bright"
            "  # a run mode of one project",
        ),
    ),
    "cache": Command(
        what="list, verify, prune or retry the cache of decoded frames",
        module="cinelex.scripts.cache",
        group="tools",
        examples=("list  # stores, their sizes and when each was last read",),
    ),
    "completion": Command(
        what="print a script for shell completion of commands and options",
        module="cinelex.scripts.completion",
        group="tools",
        examples=(
            "bash > ~/.local/share/bash-completion/completions/cinelex  # again after an update",
            'zsh > "${fpath[1]}/_cinelex"',
            "fish > ~/.config/fish/completions/cinelex.fish",
        ),
    ),
}
"""Every command by its name."""
