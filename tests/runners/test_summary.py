"""A person sees every number beside its null, and "undefined" where there is none."""

from dataclasses import replace

from cinelex.config.load import load_config
from cinelex.projects.interface.results import Group, Null, Results, Score, nulls_of
from cinelex.runners.summary import MAX_SCORES, hardest, schedule_lines, summary_lines
from tests.tiny_run import MULTITASK

RECALL = Score(
    name="retrieval.study_to_report.recall_at_1",
    label="Recall at 1",
    value=0.25,
    low=0.0,
    high=0.5,
    nulls=nulls_of({"chance": 0.125}),
    headline=True,
)
BLEU = Score(
    name="captioning.bleu4",
    label="BLEU-4",
    value=0.3,
    nulls={"always_normal": Null(value=0.1, low=0.0, high=0.2), "random": Null(value=None)},
    headline=True,
)
UNDEFINED = Score(name="tilt", label="tilt", value=None, headline=True)
ASIDE = Score(name="ndcg", label="NDCG", value=0.5)


def lines(*scores: Score) -> list[str]:
    return summary_lines(Results(groups=[Group(title="Words", note="ten of them", scores=scores)]))


def test_every_number_stands_beside_its_interval_and_the_null_that_is_hardest() -> None:
    told = lines(RECALL, BLEU)
    assert told[0].split()[:2] == ["score", "value"]
    assert told[1].split() == [
        "Words:",
        "Recall",
        "at",
        "1",
        "0.25",
        "[0,",
        "0.5]",
        "chance",
        "0.125",
    ]
    assert told[2].split() == ["Words:", "BLEU-4", "0.3", "always", "normal", "0.1"]


def test_the_hardest_null_is_the_best_that_knows_no_more_than_a_model_may() -> None:
    nulls = nulls_of({"chance": 3.0, "bigram": 2.0, "truth": 0.5})
    loss = Score(
        name="loss", label="Loss", value=1.0, nulls=nulls, better="lower", bounds=["truth"]
    )
    found = hardest(loss)
    assert found is not None
    assert found[0] == "bigram"


def test_a_null_is_named_in_words_that_are_whole() -> None:
    nulls = {"another_studys_video": Null(value=0.553)}
    score = Score(name="twins", label="Twins", value=0.6, nulls=nulls, headline=True)
    assert lines(score)[1].endswith(" another study's… 0.553")


def test_what_is_not_known_is_said_to_be_undefined() -> None:
    assert lines(UNDEFINED)[1].split() == ["Words:", "tilt", "undefined"]


def test_what_is_no_headline_is_left_to_the_page() -> None:
    assert lines(ASIDE) == []
    assert len(lines(ASIDE, RECALL)) == 2


def test_a_summary_fits_a_screen_and_every_heading_keeps_its_first_scores() -> None:
    label = "A score whose label is a whole sentence by itself"
    groups = [
        Group(title=f"Part {n}", note="", scores=[replace(RECALL, label=label) for _ in range(9)])
        for n in range(5)
    ]
    told = summary_lines(Results(groups=groups))
    assert len(told) == MAX_SCORES + 2
    assert max(map(len, told)) <= 100
    assert told[-1].startswith(f"{5 * 9 - MAX_SCORES} more scores")


def test_the_schedule_shows_first_and_last_step_in_columns() -> None:
    config = load_config(MULTITASK, ["steps=50", "optimizer.warmup_steps=5"])
    lines = schedule_lines(config)
    assert lines[0].split()[:3] == ["step", "learning_rate", "temperature"]
    assert lines[1].split()[0] == "0"
    assert lines[-1].split()[0] == "49"
    assert len({len(line) for line in lines}) == 1
