"""What a run says to a checklist: what its files show, and nothing more."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cinelex.doctor.report.checklists import CLAIM, TRIPOD
from cinelex.doctor.report.statements import Statements
from cinelex.doctor.run_files import read_run
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Group, Null, Results, Score

NULLS = {"chance": Null(value=0.1), "blank_video": Null(value=0.2)}
SCORES = (
    Score(name="a.one", label="One", value=0.9, nulls=NULLS, better="higher", headline=True),
    Score(name="a.two", label="Two", value=0.5),
)


def subgroup(column: str, mean: float) -> dict[str, Any]:
    about = {"score": "MRR", "value": "x", "items": 9, "low": 0.1, "high": 0.9, "overall": 0.8}
    return {**about, "column": column, "mean": mean, "holm": 0.5}


def said(run: Path, subgroups: Sequence[dict[str, Any]] = (), **provenance: str) -> Statements:
    table = Table(name="subgroups", title="", note="", rows=subgroups)
    group = Group(title="Facts", note="", scores=SCORES)
    results = Results(groups=[group], tables=[table], provenance=provenance)
    return Statements(read_run(run), results)


def test_scores_without_nulls_are_not_said_to_have_them(run_folder: Path) -> None:
    found = said(run_folder)
    assert found.of("measures") == "Facts; 1 of 2 scores stand beside nulls"
    assert found.of("robustness") == "blind-video null beside 1 of 2 scores"


def test_places_and_persons_are_answered_by_columns_of_their_own_alone(run_folder: Path) -> None:
    views = said(run_folder, [subgroup("number of videos", 0.7)])
    assert (views.of("clusters"), views.of("fairness")) == ("", "")
    assert "weakest where number of videos is x" in views.of("performance_in_subgroups")
    both = said(run_folder, [subgroup("site", 0.6), subgroup("sex", 0.4), subgroup("year", 0.1)])
    assert both.of("clusters").startswith("1 subgroups by site; weakest where site is x: MRR 0.600")
    assert "weakest where sex is x: MRR 0.400" in both.of("fairness")
    assert both.of("clusters").endswith("p 0.5 after Holm over 3")


def test_first_weights_are_those_that_the_run_began_with(run_folder: Path) -> None:
    assert said(run_folder).of("initial") == "all fresh from seed 0"
    (run_folder / "towers.json").write_text('{"video": {}}')
    assert said(run_folder).of("initial") == (
        "video tower from pretrained weights, the rest fresh from seed 0"
    )


def test_hashes_and_counts_do_not_stand_for_what_only_authors_know(run_folder: Path) -> None:
    found = said(run_folder, checkpoint="abc")
    assert "checkpoint of hash abc" in found.of("weights")
    asked = {(line.item, line.key) for line in (*TRIPOD, *CLAIM)}
    assert {("18f", ""), ("44", ""), ("10", "")} <= asked
    assert found.of("") == ""
    keys = {line.key for line in (*TRIPOD, *CLAIM)} - {""}
    assert [key for key in keys if not hasattr(Statements, f"_{key}")] == ["external"]
