"""Tokenizers whose files are damaged are refused by their path, and no token is quoted."""

import json
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.text.saved import load_tokenizer
from cinelex.data.text.tokenizer import train_tokenizer


@pytest.mark.parametrize("change", [{"model": 1}, {"normalizer": 0}, {"decoder": {"type": "x"}}])
def test_a_damaged_tokenizer_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    train_tokenizer(["CANARY 70%"] * 4, vocab_size=600, max_tokens=16).save(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UserError, match=r"tokenizer\.json: damaged \(Exception\); ") as refused:
        load_tokenizer(tmp_path)
    assert "CANARY" not in str(refused.value)


def test_a_tokenizer_that_is_gone_is_named(tmp_path: Path) -> None:
    train_tokenizer(["70%"] * 4, vocab_size=600, max_tokens=16).save(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(UserError, match=r"tokenizer\.json: damaged"):
        load_tokenizer(tmp_path)
