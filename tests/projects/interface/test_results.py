"""What an evaluation found is read back from ``results.json`` as it was written."""

import json
from pathlib import Path

import pytest

from cinelex.projects.interface.exhibits import Picture, Table
from cinelex.projects.interface.plain import find
from cinelex.projects.interface.results import (
    Estimate,
    Group,
    Null,
    Results,
    Score,
    nulls_of,
    read_results,
)

RECALL = Score(
    name="retrieval.study_to_report.recall_at_1",
    label="Recall at 1",
    value=0.25,
    low=0.1,
    high=0.4,
    nulls=nulls_of({"chance": 0.05}),
    unit="share",
    better="higher",
    headline=True,
)
BLEU = Score(
    name="captioning.bleu4",
    label="BLEU-4",
    value=0.3,
    nulls={
        "shuffled": Null(
            value=0.1, low=0.0, high=0.2, margin=Estimate(value=0.2, low=0.1, high=0.3)
        )
    },
    better="higher",
    variant="corpus BLEU",
)
LOSS = Score(
    name="losses.captioning",
    label="Captioning loss",
    value=None,
    nulls=nulls_of({"chance": 6.5, "unigram": None}),
    unit="nats per token",
    better="lower",
    bounds=("unigram",),
)
WHOLE = Results(
    groups=[
        Group(title="Study to report", note="8 queries", scores=[RECALL]),
        Group(title="Rest", note="", scores=[BLEU, LOSS]),
    ],
    counts={"retrieval.gallery.study_to_report": 8},
    tables=[
        Table(name="parameters", title="Outputs", note="n", rows=[{"name": "gain", "low": -12}])
    ],
    pictures=[Picture(title="Samples", note="n", path=Path("predictions/a.png"))],
)


def test_what_is_written_is_read_back() -> None:
    assert Results.from_json(json.loads(json.dumps(WHOLE.as_json()))) == WHOLE


def test_numbers_stand_at_their_paths() -> None:
    content = WHOLE.as_json()
    recall = content["retrieval"]["study_to_report"]["recall_at_1"]
    assert [recall[key] for key in ("value", "chance", "low", "high")] == [0.25, 0.05, 0.1, 0.4]
    assert content["captioning"]["bleu4"]["baselines"]["shuffled"]["margin"]["low"] == 0.1
    assert content["losses"]["captioning"]["unigram"] is None
    assert content["retrieval"]["gallery"]["study_to_report"] == 8


def test_two_numbers_cannot_have_one_path() -> None:
    twice = Results(groups=[Group(title="a", note="", scores=[RECALL, RECALL])])
    with pytest.raises(ValueError, match="two results are called retrieval"):
        twice.as_json()


def test_a_damaged_file_loses_what_is_damaged_alone() -> None:
    content = json.loads(json.dumps(WHOLE.as_json()))
    content["groups"][1]["scores"] += ["no.such", 3]
    content["captioning"]["bleu4"] = {"value": "much", "baselines": ["odd"]}
    content["tables"], content["pictures"] = 3, [None]
    read = Results.from_json(content)
    assert [score.value for score in read.scores()] == [0.25, None, None]
    assert not read.tables
    assert not read.pictures
    assert find(content, "captioning.bleu4.value") is None


def test_what_no_group_names_is_read_and_hashes_too(tmp_path: Path) -> None:
    assert read_results(tmp_path) is None
    loose = {"losses": {"captioning": {"value": 1.5, "bigram": 1.1}}, "provenance": {"data": "0f"}}
    (tmp_path / "results.json").write_text(json.dumps(loose))
    found = read_results(tmp_path)
    assert found is not None
    assert found.groups == []
    assert found.below("losses")["captioning"].nulls["bigram"].value == 1.1
    assert found.score("losses.captioning") == found.others[0]
    assert found.provenance == {"data": "0f"}
    assert Results.from_json(found.as_json()) == found
