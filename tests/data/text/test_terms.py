"""Tokens that mean one word have one number."""

from cinelex.data.text.terms import terms_of
from cinelex.data.text.tokenizer import train_tokenizer


def test_capitals_and_spaces_make_no_new_term() -> None:
    tokenizer = train_tokenizer(["Ball on a ball. (ball"] * 3, vocab_size=600, max_tokens=64)
    terms = terms_of(tokenizer)
    one, other, third = (
        terms[tokenizer.encode(text)[-2]] for text in ("a Ball", "a ball", "(ball")
    )
    assert one == other == third
    assert terms[tokenizer.encode("on")[1]] != one


def test_marks_and_parts_of_letters_stay_apart() -> None:
    tokenizer = train_tokenizer(["a b"] * 3, vocab_size=600, max_tokens=64)
    terms = terms_of(tokenizer)
    every = range(tokenizer.vocab_size)
    parts = [t for t in every if "\N{REPLACEMENT CHARACTER}" in tokenizer.decode([t])]
    alone = [tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id, *parts]
    assert len(parts) > 100
    assert len({int(terms[token]) for token in alone}) == len(alone)
