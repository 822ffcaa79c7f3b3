"""Terms beside sentences: what has to be kept of a report that stands still."""

from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertModel

from cinelex.models.terms_and_sentences import TermsAndSentences


def test_a_kept_row_is_pooled_as_all_its_tokens_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tiny = BertConfig(
        vocab_size=11,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertModel(tiny).save_pretrained(tmp_path)
    encoder = TermsAndSentences(width=12, vocab=11, max_tokens=8, name=str(tmp_path))
    encoder.fit([[3, 4, 5], [5, 6, 7, 7], [8, 9, 10, 3]], np.arange(11))
    token_ids = torch.randint(3, 11, (3, 7))
    mask = torch.arange(7) < torch.tensor([[7], [4], [1]])
    row = encoder.eval().summed(token_ids, mask)
    assert row.shape == (3, 1, 12)
    expected = encoder.pool(encoder(token_ids, mask), mask)
    torch.testing.assert_close(encoder.pool(row, mask[:, :1]), expected)
