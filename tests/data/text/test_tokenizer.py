"""Reports to tokens and back."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.core.errors import UserError
from cinelex.data.text.pretrained import PretrainedTokenizer
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import TrainedTokenizer, normalise, train_tokenizer

REPORTS = [
    "Moderate stenosis of the mid LAD, 50%. The RCA is free of disease.",
    "There is a 70% stenosis of the proximal LAD and a 30-40 % stenosis of the LCX.",
    "Severe stenosis of the RCA (90%). Study number 1234; compare with 1234.",
] * 4


@pytest.fixture(scope="module")
def tokenizer() -> TrainedTokenizer:
    return train_tokenizer(REPORTS, vocab_size=700, max_tokens=64)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | st.text(" %.,-0123456789aéLAD\n\t<pad>", max_size=60))
def test_decoding_gives_back_the_normalised_text(tokenizer: TrainedTokenizer, text: str) -> None:
    if tokenizer.length(text) <= tokenizer.max_tokens:
        assert tokenizer.decode(tokenizer.encode(text)) == normalise(text)


@pytest.mark.parametrize(
    "text",
    ["😀 report", "<pad><bos><eos>", "naïve café", "  two\nlines ", "", "日本", "\x00a\ud800b"],
)
def test_nothing_is_unknown(tokenizer: TrainedTokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert ids[0] == tokenizer.bos_id
    assert ids[-1] == tokenizer.eos_id
    assert not {tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id} & set(ids[1:-1])
    assert tokenizer.decode(ids) == normalise(text)


@pytest.mark.parametrize("number", range(101))
def test_every_percentage_is_two_tokens(tokenizer: TrainedTokenizer, number: int) -> None:
    for text in (f"{number}%", f"{number} %", f"a {number}% stenosis", f"({number}%)"):
        without = text.replace(f"{number} %", "").replace(f"{number}%", "")
        assert tokenizer.length(text) - tokenizer.length(without) <= 2, text
    assert tokenizer.length(f"{number}%") == 2 + 2


def test_a_number_is_the_same_two_tokens_wherever_it_stands(tokenizer: TrainedTokenizer) -> None:
    seventy = tokenizer.encode("70%")[1:-1]
    assert tokenizer.encode("of 70% in")[2:4] == seventy
    assert tokenizer.encode("70% 71%")[1:3] == seventy


def test_larger_numbers_are_whole_where_the_reports_repeat_them(
    tokenizer: TrainedTokenizer,
) -> None:
    assert tokenizer.length("1234") == 2 + 1
    assert tokenizer.length("9876") > 2 + 1


def test_frequent_words_are_whole_and_the_first_one_is_like_the_others(
    tokenizer: TrainedTokenizer,
) -> None:
    assert tokenizer.encode("stenosis")[1:-1] == tokenizer.encode("the stenosis")[2:-1]
    assert tokenizer.length("stenosis") == 2 + 1


def test_a_long_report_is_cut_before_its_eos(tokenizer: TrainedTokenizer) -> None:
    ids = tokenizer.encode("LAD " * 100)
    assert len(ids) == 64
    assert ids[-1] == tokenizer.eos_id
    assert tokenizer.length("LAD " * 100) == 102


def test_decoding_stops_at_the_first_eos(tokenizer: TrainedTokenizer) -> None:
    ids = tokenizer.encode("mid LAD")
    assert tokenizer.decode([*ids, *ids, tokenizer.pad_id]) == "mid LAD"


def test_training_again_gives_the_same_tokens(tokenizer: TrainedTokenizer) -> None:
    again = train_tokenizer(REPORTS, vocab_size=700, max_tokens=64)
    for text in REPORTS:
        assert again.encode(text) == tokenizer.encode(text)
    assert again.vocab_size == tokenizer.vocab_size <= 700


def test_a_saved_tokenizer_is_the_same(tokenizer: TrainedTokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path)
    loaded = load_tokenizer(tmp_path)
    assert isinstance(loaded, TrainedTokenizer)
    assert loaded.max_tokens == 64
    assert loaded.vocab_size == tokenizer.vocab_size
    for text in (*REPORTS, "😀 73.5%"):
        assert loaded.encode(text) == tokenizer.encode(text)
        assert loaded.decode(loaded.encode(text)) == text


def test_a_vocabulary_without_room_is_refused() -> None:
    with pytest.raises(UserError, match="vocab_size 300 is too small"):
        train_tokenizer(REPORTS, vocab_size=300, max_tokens=64)
    with pytest.raises(UserError, match="max_tokens"):
        train_tokenizer(REPORTS, vocab_size=700, max_tokens=2)


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cinelex_tokenizer.json: missing"):
        load_tokenizer(tmp_path)


@pytest.fixture
def bert_folder(tmp_path: Path) -> Path:
    """A tiny tokenizer as BERT's is written."""
    folder = tmp_path / "bert"
    folder.mkdir()
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "mid",
        "lad",
        "stenosis",
        "of",
        "##s",
        "70",
        "%",
    ]
    (folder / "vocab.txt").write_text("\n".join(words))
    (folder / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "BertTokenizer", "do_lower_case": true}'
    )
    return folder


def test_a_local_bert_tokenizer_is_framed_by_cls_and_sep(bert_folder: Path) -> None:
    tokenizer = PretrainedTokenizer(str(bert_folder), max_tokens=5)
    assert (tokenizer.pad_id, tokenizer.bos_id, tokenizer.eos_id) == (0, 2, 3)
    assert tokenizer.vocab_size == 12
    assert tokenizer.encode("Stenosis of 70%") == [2, 7, 8, 10, 3]
    assert tokenizer.length("Stenosis of 70%") == 6
    assert tokenizer.decode([2, 5, 6, 3, 0, 0]) == "mid lad"


def test_a_pretrained_tokenizer_survives_saving(bert_folder: Path, tmp_path: Path) -> None:
    PretrainedTokenizer(str(bert_folder), max_tokens=9).save(tmp_path / "copy")
    loaded = load_tokenizer(tmp_path / "copy")
    assert loaded.max_tokens == 9
    assert loaded.encode("mid LAD") == [2, 5, 6, 3]


def test_a_tokenizer_that_is_nowhere_says_which_file_to_place(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="tokenizer_config.json into a folder"):
        PretrainedTokenizer(str(tmp_path / "absent"), max_tokens=9)
