"""Words of scripts that a-z knows nothing of."""

import pytest

from cinelex.core.scripts import beyond_ascii, spaced, unspaced, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("70% stenosis, mid-LAD", ["70", "stenosis", "mid", "lad"]),
        ("Sténose à 70 %", ["sténose", "à", "70"]),
        ("Ste\u0301nose", ["sténose"]),
        ("Стеноз 70% ПМЖВ", ["стеноз", "70", "пмжв"]),
        ("تضيق بنسبة ٧٠٪", ["تضيق", "بنسبة", "٧٠"]),
        ("狭窄70%", ["狭", "窄", "70"]),
        ("हिन्दी", ["हिन्दी"]),
        ("ตีบ 70", ["ตี", "บ", "70"]),
        ("می\u200cشود", ["میشود"]),
        ("", []),
    ],
)
def test_words_are_runs_of_letters_of_any_script(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_blanks_are_put_where_a_tokenizer_of_english_needs_them() -> None:
    assert spaced("狭窄70%。左").split() == ["狭", "窄", "70%", "。", "左"]
    assert spaced("70% (LAD)") == "70% (LAD)"


def test_shares_are_of_letters() -> None:
    assert beyond_ascii(["abc", "é 70%"]) == 0.25
    assert unspaced(["ab", "狭窄"]) == 0.5
    assert unspaced(["70%"]) == 0.0
