"""Tables of predictions with each fault, and without, through the command."""

import argparse
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.predictions_defects import BASE, FAULTS, SEED, Fault
from benchmarks.predictions_made import Made, make
from cinelex.doctor.__main__ import main
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding
from cinelex.doctor.predictions.command import add_arguments, read
from cinelex.doctor.rules.predictions import PREDICTIONS

ROWS = 600
pytestmark = pytest.mark.slow


def asked(made: Made, folder: Path, *more: str) -> list[str]:
    made.manifest.to_csv(folder / "manifest.csv", index=False)
    made.table.to_csv(folder / "table.csv", index=False)
    files = [str(folder / f"{name}.npy") for name in made.matrices]
    for file, rows in zip(files, made.matrices.values(), strict=True):
        np.save(file, rows)
    command = ["predictions", str(folder / "table.csv")]
    command += ["--manifest", str(folder / "manifest.csv"), *BASE, "--subgroup", "vendor"]
    return [*command, *(["--embeddings", *files] if files else []), *more]


@pytest.fixture(scope="module")
def healthy() -> Made:
    return make(ROWS, 1, 24, 0)


def found_by(rule_id: str, command: list[str]) -> list[Finding]:
    """Return what the rules of one id find in what a command line names."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    evidence = Evidence(table=read(parser.parse_args(command[1:])))
    rules = [rule for rule in PREDICTIONS if rule.id == rule_id]
    return [finding for rule in rules for finding in rule.findings(evidence)]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_is_named(fault: Fault, healthy: Made, tmp_path: Path) -> None:
    sick = fault.put(healthy, np.random.default_rng(SEED))
    found = found_by(fault.rule, asked(sick, tmp_path))
    assert any(fault.says in one.statement + one.cause for one in found), found


def test_findings_are_json_for_machines(
    healthy: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = Made(healthy.manifest, healthy.table[:40], {})
    command = [one for one in asked(few, tmp_path) if one not in BASE or one in BASE[:2]]
    assert main([*command, "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["rule"], found["severity"]) == ("N2", "error")


def test_a_healthy_table_is_left_alone_and_says_what_was_not_asked(
    healthy: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked(healthy, tmp_path)) == 0
    said = capsys.readouterr().out
    assert "the doctor finds nothing" in said
    assert "not asked, for want of it: re-encoded rows" in said


def _parquet(made: Made, path: Path) -> None:
    rows = next(iter(made.matrices.values()))
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])
    ids = pa.array(made.table["video_id"])
    pq.write_table(pa.table({"video_id": ids, "embedding": vectors}), path, row_group_size=100)


def test_parquet_and_a_numpy_matrix_with_ids_beside_it_are_read(
    healthy: Made, tmp_path: Path
) -> None:
    manifest = tmp_path / "manifest.csv"
    healthy.manifest.to_csv(manifest, index=False)
    _parquet(healthy, tmp_path / "table.parquet")
    rows = next(iter(healthy.matrices.values()))
    np.save(tmp_path / "rows.npy", rows)
    np.save(tmp_path / "ids.npy", healthy.table["video_id"].to_numpy(str))
    numpy = [str(tmp_path / "rows.npy"), "--ids", str(tmp_path / "ids.npy")]
    for table in ([str(tmp_path / "table.parquet")], numpy):
        command = ["predictions", *table, "--manifest", str(manifest)]
        assert found_by("N1", command) == found_by("N2", command) == []


def test_rows_encoded_anew_are_found_where_they_lie(healthy: Made, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    healthy.manifest.to_csv(manifest, index=False)
    _parquet(healthy, tmp_path / "anew.parquet")
    shifted = {name: np.roll(rows, 2, axis=0) for name, rows in healthy.matrices.items()}
    _parquet(Made(healthy.manifest, healthy.table, shifted), tmp_path / "table.parquet")
    table = ["predictions", str(tmp_path / "table.parquet"), "--manifest", str(manifest)]
    found = found_by("N1", [*table, "--again", str(tmp_path / "anew.parquet")])
    assert any(f"{ROWS - 2} of them +2 rows away" in one.cause for one in found), found


def test_predictions_made_from_others_are_named(healthy: Made, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    healthy.table.to_csv(other, index=False)
    truth = healthy.manifest["ef_true"]
    made = healthy.table.assign(ef=truth + (healthy.table["ef"] - truth) / 1.0408)
    command = asked(Made(healthy.manifest, made, {}), tmp_path, "--reference", str(other))
    (found,) = found_by("D22", command)
    assert "errors of ef are those of the other table times 0.9608" in found.statement


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--key", "nothing"], "no column 'nothing' (--key)"),
        (["--score", "ef=nothing"], "no column 'nothing' (--score)"),
        (["--where", "ef"], "expected two names with = between them"),
        (["--embeddings", "short.npy"], "3 rows for"),
        (["--embeddings", "flat.npy"], "holds no matrix"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    change: list[str],
    says: str,
    healthy: Made,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("short.npy", np.ones((3, 4)))
    np.save("flat.npy", np.ones(len(healthy.table)))
    assert main([*asked(Made(healthy.manifest, healthy.table, {}), tmp_path), *change]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_rows_that_are_all_nothing_are_said_so_without_a_word_of_numpy(
    healthy: Made, tmp_path: Path
) -> None:
    blank = {"blank": np.full((len(healthy.table), 8), np.nan, np.float32)}
    words = healthy.table.assign(ef="normal")
    (rows, scores) = found_by("N2", asked(Made(healthy.manifest, words, blank), tmp_path))
    for found, name in ((rows, "blank"), (scores, "ef")):
        assert f"rows of {name} are empty, zero or not finite (100.00 %)" in found.statement
