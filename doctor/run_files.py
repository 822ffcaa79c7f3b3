"""What a run left in its folder, read back with nothing taken for granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinelex.config.load import load_config
from cinelex.config.schema import RunConfig
from cinelex.core.errors import UserError
from cinelex.core.files import read_json
from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.finding import Finding, finding_of
from cinelex.projects.interface.plain import mapping
from cinelex.projects.interface.results import Results, read_results
from cinelex.runners.record import read_rows

Row = dict[str, Any]
DOCTOR = "doctor.json"
"""Diagnostics and findings."""


@dataclass(frozen=True)
class RunFiles:
    """The files of one run; what is missing is empty."""

    folder: Path
    config_text: str
    """The resolved config as it stands in the file."""
    config: RunConfig | None
    """The config, if this version can read it."""
    config_error: str
    """Why it cannot."""
    steps: list[Row]
    """Records of optimizer steps."""
    validations: list[Row]
    """Records of validations."""
    results: Results | None
    """The final evaluation."""
    retrieval: list[Row]
    """One row a held-out study: rank of its report, and the nearest reports."""
    captions: list[Row]
    """One row a held-out study: reference, caption, and the caption's coloured spans."""
    diagnostics: Mapping[str, Any]
    """What the doctor knew before the first step."""
    findings: list[Finding]
    """What it has found while the run went on, as far as it is kept."""

    def evidence(self, *, reference: "RunFiles | None" = None) -> Evidence:
        """Return what the rules read, beside the results of another run if there is one."""
        return Evidence(
            config=self.config,
            diagnostics=self.diagnostics,
            steps=self.steps,
            validations=self.validations,
            results=self.results,
            captions=self.captions,
            reference=reference.results if reference else None,
        )


def read_run(folder: Path) -> RunFiles:
    """Return what is in a run's folder.

    Raises:
        UserError: The folder does not exist, or a file in it is broken; the message says where.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such run folder")
    config_file = folder / "config.yaml"
    config, error = _config(config_file)
    records = read_rows(folder / "metrics.jsonl")
    kept = _content(folder / DOCTOR)
    findings = kept.get("findings")
    return RunFiles(
        folder=folder,
        config_text=(
            config_file.read_text(encoding="utf-8", errors="replace")
            if config_file.exists()
            else ""
        ),
        config=config,
        config_error=error,
        steps=_steps(records),
        validations=_steps(records, kind="validation"),
        results=read_results(folder),
        retrieval=read_rows(folder / "predictions" / "retrieval.jsonl"),
        captions=read_rows(folder / "predictions" / "captions.jsonl"),
        diagnostics=mapping(kept.get("diagnostics")),
        findings=[
            finding
            for row in (findings if isinstance(findings, list) else [])
            if (finding := finding_of(row)) is not None
        ],
    )


def read_begun(folder: Path) -> RunFiles:
    """Return what is in the folder of a run that is there.

    Raises:
        UserError: It does not exist, a file in it is broken, or nothing in it is of a run.
    """
    found = read_run(folder)
    if not (found.config_text or found.steps or found.results):
        raise UserError(
            f"{folder}: no run there, neither config.yaml nor metrics.jsonl nor results.json"
        )
    return found


def read_steps(folder: Path, *, kind: str = "step") -> list[Row]:
    """Return the recorded optimizer steps, or validations, of a run that may not have begun.

    Raises:
        UserError: The record is broken; the message says where.
    """
    return _steps(read_rows(folder / "metrics.jsonl"), kind=kind)


def _content(path: Path) -> Mapping[str, Any]:
    """Return what is in a JSON file; nothing where it is not there or holds something else."""
    return mapping(read_json(path)) if path.exists() else {}


def _steps(records: list[Row], *, kind: str = "step") -> list[Row]:
    """Return the records of a kind; those that do not say which step they are of are left out."""
    return [row for row in records if row.get("kind") == kind and is_number(row.get("step"))]


def _config(path: Path) -> tuple[RunConfig | None, str]:
    try:
        return load_config(path), ""
    except UserError as error:
        return None, str(error)
