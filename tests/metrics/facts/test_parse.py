"""Reports are parsed as a cardiologist would read them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.metrics.facts import Fact, parse
from cinelex.metrics.facts.claims import sentences
from cinelex.metrics.facts.segments import SEGMENT_VESSELS, VESSELS
from cinelex.metrics.facts.sentences import MAX_SENTENCE, sentences_of


def stenoses(report: str) -> list[tuple[str, float, float]]:
    return [
        (fact.segment, fact.low, fact.high)
        for fact in parse(report)
        if fact.attribute == "stenosis" and not fact.negated
    ]


def denials(report: str) -> dict[str, float]:
    return {fact.segment: fact.high for fact in parse(report) if fact.negated}


@pytest.mark.parametrize(
    ("names", "segment"),
    [
        (("LM", "LMCA", "left main", "left main coronary artery", "Distal LM"), "left_main"),
        (("proximal LAD", "pLAD", "ostial LAD", "LAD proximal segment"), "proximal_lad"),
        (("mid left anterior descending artery", "mLAD", "mid-portion of the LAD"), "mid_lad"),
        (("distal LAD", "apical LAD", "LAD, distal"), "distal_lad"),
        (("D1", "first diagonal", "1st diagonal branch", "diagonal", "diag 1"), "d1"),
        (("second diagonal branch of the LAD", "D-2", "D2 branch"), "d2"),
        (("D3", "third diag"), "d3"),
        (("ramus", "ramus intermedius", "intermediate branch"), "ramus"),
        (("proximal circumflex", "prox. LCX", "proximal Cx", "pCx"), "proximal_lcx"),
        (("mid left circumflex artery",), "mid_lcx"),
        (("distal LCx",), "distal_lcx"),
        (("OM1", "first obtuse marginal", "OM", "obtuse marginal 1", "1st marginal"), "om1"),
        (("OM 2", "second obtuse marginal branch"), "om2"),
        (("OM-3",), "om3"),
        (("left PDA", "L-PDA", "left posterior descending artery"), "left_pda"),
        (("left posterolateral branch", "LPL"), "left_plv"),
        (("proximal RCA", "proximal right coronary artery", "ostium of the RCA"), "proximal_rca"),
        (("mid-RCA", "middle third of the RCA"), "mid_rca"),
        (("dist. RCA", "dRCA"), "distal_rca"),
        (("acute marginal branch", "RV branch"), "acute_marginal"),
        (("PDA", "RPDA", "RPD", "right PDA", "posterior descending artery"), "pda"),
        (("PLV", "PL", "R-PLV", "posterolateral branch", "postero-lateral branch"), "plv"),
        (("LAD", "left anterior descending"), "lad"),
        (("circumflex", "LCX", "left circumflex", "Cx"), "lcx"),
        (("RCA", "right coronary artery"), "rca"),
    ],
)
def test_every_name_of_a_segment_leads_to_it(names: tuple[str, ...], segment: str) -> None:
    for name in names:
        assert stenoses(f"There is a 70% stenosis of the {name}.") == [(segment, 70, 70)], name
        assert stenoses(f"{name}: 30% stenosis.") == [(segment, 30, 30)], name


def test_there_are_eighteen_segments_or_more_and_each_has_a_vessel() -> None:
    assert len(SEGMENT_VESSELS) >= 18
    assert set(SEGMENT_VESSELS.values()) == set(VESSELS)


@pytest.mark.parametrize(
    ("phrase", "low", "high"),
    [
        ("70% stenosis", 70, 70),
        ("70 % stenosis", 70, 70),
        ("~70.0% stenosis", 70, 70),
        ("about 70 percent stenosis", 70, 70),
        ("70-80 % stenosis", 70, 80),
        ("70–80% stenosis", 70, 80),
        ("70% to 80% stenosis", 70, 80),
        ("≥90 stenosis", 90, 100),
        (">= 90% stenosis", 90, 100),
        ("more than 70% stenosis", 71, 100),
        ("<50% stenosis", 1, 49),
        ("up to 40% stenosis", 1, 40),
        ("subtotal occlusion", 95, 99),
        ("total occlusion", 100, 100),
        ("CTO", 100, 100),
        ("chronic total occlusion", 100, 100),
        ("minimal disease", 1, 24),
        ("mild disease", 25, 49),
        ("mild to moderate disease", 25, 69),
        ("moderate stenosis", 50, 69),
        ("severe stenosis", 70, 99),
        ("high-grade lesion", 70, 99),
        ("nonobstructive disease", 1, 49),
        ("significant stenosis", 50, 100),
        ("severe (80%) stenosis", 80, 80),
        ("a lesion", 1, 100),
    ],
)
def test_words_and_numbers_become_intervals(phrase: str, low: float, high: float) -> None:
    assert stenoses(f"{phrase} in the mid RCA") == [("mid_rca", low, high)]
    assert stenoses(f"Mid RCA: {phrase}.") == [("mid_rca", low, high)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("LAD: proximal 70%, mid 50%, D1 30%.",
         [("proximal_lad", 70), ("mid_lad", 50), ("d1", 30)]),
        ("Proximal LAD 70%, D1 50% and RCA 30%.", [("proximal_lad", 70), ("d1", 50), ("rca", 30)]),
        ("70% stenosis of the mid LAD and D1, RCA with 50%.",
         [("mid_lad", 70), ("d1", 70), ("rca", 50)]),
        ("Proximal, mid and distal RCA: 50%, 60% and 70%.",
         [("proximal_rca", 50), ("mid_rca", 60), ("distal_rca", 70)]),
        ("LAD 70% proximal and 50% distal.", [("proximal_lad", 70), ("distal_lad", 50)]),
        ("The LAD is large and the RCA has a 70% mid stenosis.", [("mid_rca", 70)]),
        ("The LAD wraps the apex. There is a 60% stenosis in its mid portion.", [("mid_lad", 60)]),
        ("The proximal left anterior descending (LAD) artery: 60% stenosis.",
         [("proximal_lad", 60)]),
        ("Left main: normal; RCA 90%.", [("rca", 90)]),
        ("40% stenosis of the RCA, not significant.", [("rca", 40)]),
        ("The LAD has a 70% stenosis, no thrombus.", [("lad", 70)]),
        ("SVG to RCA occluded. LIMA to LAD patent.", []),
        ("Ejection fraction 35%. OM1 with 50% stenosis.", [("om1", 50)]),
    ],
)  # fmt: skip
def test_each_place_gets_its_own_value(sentence: str, expected: list[tuple[str, float]]) -> None:
    assert stenoses(sentence) == [(segment, value, value) for segment, value in expected]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No stenosis of the LAD.", {"lad": 0}),
        ("The RCA is normal.", {"rca": 0}),
        ("No significant stenosis in the LAD, LCX or RCA.", {"lad": 49, "lcx": 49, "rca": 49}),
        ("The LAD and circumflex are free of severe disease.", {"lad": 69, "lcx": 69}),
        ("No stenosis > 50% in the PDA.", {"pda": 50}),
        ("Left main: Large vessel. No disease.", {"left_main": 0}),
        ("Normal coronary arteries.", {"left_main": 0, "lad": 0, "lcx": 0, "rca": 0}),
        ("No obstructive coronary artery disease.",
         {"left_main": 49, "lad": 49, "lcx": 49, "rca": 49}),
        ("RCA 70%. The remaining vessels are free of stenosis.",
         {"left_main": 0, "lad": 0, "lcx": 0}),
        ("D1 70%, mid RCA 50%. No significant stenosis elsewhere.", {"left_main": 49, "lcx": 49}),
        ("The RCA is free of disease but the LAD is occluded.", {"rca": 0}),
        ("Patent stent in the mid LAD.", {"mid_lad": 49}),
    ],
)  # fmt: skip
def test_a_denial_says_what_it_leaves_open(sentence: str, expected: dict[str, float]) -> None:
    assert denials(sentence) == expected


def test_space_of_any_kind_and_amount_is_one_space() -> None:
    assert stenoses(f"70{' ' * 20_000}% stenosis of the\u00a0\tmid{' ' * 20_000}LAD") == [
        ("mid_lad", 70, 70)
    ]


def test_a_sentence_without_an_end_is_read_piece_by_piece() -> None:
    fact = parse("90% stenosis of the mid rca")
    assert fact
    endless = f"{'nothing of note here ' * 5000}with 90% stenosis of the mid rca"
    assert parse(endless) == fact
    assert max(map(len, sentences_of(endless))) <= MAX_SENTENCE


def test_a_hedge_is_kept_with_the_fact() -> None:
    assert parse("Possible severe stenosis of OM2.") == [
        Fact("om2", "stenosis", 70.0, 99.0, uncertain=True)
    ]
    assert parse("A lesion of the PDA cannot be excluded.") == [
        Fact("pda", "stenosis", 1.0, 100.0, uncertain=True)
    ]


@pytest.mark.parametrize(
    ("sentence", "facts"),
    [
        ("Right dominant circulation.", [Fact("right", "dominance", 1.0, 1.0)]),
        ("Non-dominant RCA.", [Fact("left", "dominance", 1.0, 1.0)]),
        ("The circumflex is dominant.", [Fact("left", "dominance", 1.0, 1.0)]),
        ("Codominant system.", [Fact("both", "dominance", 1.0, 1.0)]),
        ("TIMI III flow in the LAD.", [Fact("lad", "flow", 3.0, 3.0)]),
        ("TIMI 2-3 flow.", [Fact("study", "flow", 2.0, 3.0)]),
        ("Ejection fraction is estimated at 55-60%.",
         [Fact("study", "ejection_fraction", 55.0, 60.0)]),
        ("Severely calcified proximal LAD.", [Fact("proximal_lad", "calcification", 1.0, 1.0)]),
        ("No tortuosity or calcification.",
         [Fact("study", "tortuosity", 0.0, 0.0, True),
          Fact("study", "calcification", 0.0, 0.0, True)]),
        ("No calcification, 70% stenosis of the LAD.",
         [Fact("study", "calcification", 0.0, 0.0, True), Fact("lad", "stenosis", 70.0, 70.0)]),
        ("Sternal wires and a pacemaker lead.",
         [Fact("study", "sternal_wires", 1.0, 1.0), Fact("study", "pacemaker", 1.0, 1.0)]),
    ],
)  # fmt: skip
def test_other_attributes_use_the_same_schema(sentence: str, facts: list[Fact]) -> None:
    assert parse(sentence) == facts


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_parser(text: str) -> None:
    for fact in parse(text):
        assert 0 <= fact.low <= fact.high <= 100


JUMBLE = (
    "LAD RCA proximal mid D1 70% 50-60% ≥90 no stenosis normal , and with or . severe is the "
    "remaining vessels TIMI 3 calcified occluded possible 120% left main"
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(JUMBLE.split(" ")), max_size=20))
def test_no_jumble_of_its_own_words_breaks_the_parser(words: list[str]) -> None:
    for fact in parse(" ".join(words)):
        assert 0 <= fact.low <= fact.high <= 100


def test_a_sentence_ends_as_its_script_ends_it() -> None:
    assert sentences_of("右冠状动脉狭窄3.5%。未见钙化！") == ["右冠状动脉狭窄3.5%", "未见钙化"]
    assert sentences("هل يوجد تضيق؟ لا.") == ["هل يوجد تضيق؟", "لا."]
