"""A decoder constrained to facts states these and nothing else, whatever it prefers."""

import pytest
import torch

from cinelex.data.text.tokenizer import TrainedTokenizer, train_tokenizer
from cinelex.metrics.facts.lesions import lesions_of
from cinelex.metrics.facts.parse import read
from cinelex.metrics.facts.vocabulary import vocabulary
from cinelex.models.caption_decoder import TransformerCaptionDecoder
from cinelex.projects.multitask.fact_constraint import CaptionClaims, FactConstraint
from cinelex.projects.multitask.phrases import Phrases

WORDS = vocabulary("coronary")
REPORTS = [
    "Right dominant. 70% stenosis of the mid LAD. The RCA is normal. TIMI 3 flow.",
    "Left dominant. Mild stenosis (30%) in the PDA. Circumflex and LM are normal. TIMI 2 flow.",
    "Right dominant. PDA: 50% stenosis. Possible 90% lesion of the D1. Calcified vessels.",
]
MUST = {
    ("dominance", "left", 1.0),
    ("stenosis", "mid_lad", 40.0),
    ("stenosis", "plv", 80.0),
    ("stenosis", "rca", 0.0),
    ("flow", "study", 3.0),
}
MAY = {("calcification", "study", 1.0)}


@pytest.fixture(scope="module")
def tokenizer() -> TrainedTokenizer:
    return train_tokenizer(REPORTS, vocab_size=700, max_tokens=120)


def constrained(tokenizer: TrainedTokenizer, *facts: CaptionClaims, seed: int = 0) -> list[str]:
    """Let a decoder that knows nothing write under the constraint."""
    torch.manual_seed(seed)
    phrases = Phrases.of(REPORTS, tokenizer, WORDS)
    decoder = TransformerCaptionDecoder(
        width=16, memory_width=8, vocab=tokenizer.vocab_size, max_tokens=120, depth=1, heads=2
    )
    written = decoder.generate(
        torch.randn(len(facts), 3, 8),
        None,
        bos_id=tokenizer.bos_id,
        eos_id=tokenizer.eos_id,
        pad_id=tokenizer.pad_id,
        max_tokens=120,
        constraint=FactConstraint(facts, phrases, device=torch.device("cpu")),
    )
    return [tokenizer.decode(row) for row in written.tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_a_caption_states_all_that_it_must_and_nothing_that_it_may_not(
    tokenizer: TrainedTokenizer, seed: int
) -> None:
    (caption,) = constrained(tokenizer, CaptionClaims(frozenset(MUST), frozenset(MAY)), seed=seed)
    found = lesions_of(read(caption))
    assert {place: fact.middle for place, fact in found.positive.items()} == {
        "mid_lad": 40.0,  # a sentence about 70 %, with another number
        "plv": 80.0,  # worded by no report
    }
    assert found.denied.keys() == {"rca"}
    stated = {(attribute, place, low) for place, attribute, low, _ in found.others}
    assert stated - MAY == {("dominance", "left", 1.0), ("flow", "study", 3.0)}


def test_what_no_report_has_words_for_does_not_keep_a_caption_from_ending(
    tokenizer: TrainedTokenizer,
) -> None:
    unsayable = CaptionClaims(frozenset({("tortuosity", "study", 1.0), ("flow", "study", 2.0)}))
    captions = constrained(tokenizer, unsayable, CaptionClaims(frozenset()))
    assert captions == ["TIMI 2 flow.", ""]


def test_sentences_that_lean_on_others_or_hedge_are_never_said(tokenizer: TrainedTokenizer) -> None:
    phrases = Phrases.of([*REPORTS, "Other vessels without significant disease."], tokenizer, WORDS)
    claims = frozenset({("stenosis", "d1", 90.0), ("stenosis", "lad", 0.0)})
    said = {tokenizer.decode(phrase.token_ids) for phrase in phrases.sayable(claims)}
    assert said == {"90% stenosis of the D1."}
