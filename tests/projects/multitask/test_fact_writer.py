"""What a run keeps of its facts, damaged."""

import json
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.text.tokenizer import train_tokenizer
from cinelex.projects.multitask.fact_writer import FACTS_FILE, FactWriter

KEPT = {"asked": [], "presence": {}, "stated": {}, "sentences": ["CANARY"]}


@pytest.mark.parametrize("kept", [KEPT, {**KEPT, "scale": {}, "vocabulary": ""}, [], "CANARY"])
def test_damaged_facts_are_named_and_not_quoted(tmp_path: Path, kept: object) -> None:
    (tmp_path / FACTS_FILE).write_text(json.dumps(kept))
    tokenizer = train_tokenizer(["70%"] * 4, vocab_size=600, max_tokens=16)
    with pytest.raises(UserError, match=r"facts\.json: damaged") as refused:
        FactWriter.load(tmp_path, tokenizer)
    assert "CANARY" not in str(refused.value)
