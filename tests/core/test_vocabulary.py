"""Costs of tokens over a large vocabulary equal those from logits that are all held."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.core import vocabulary
from cinelex.core.vocabulary import next_token_costs
from cinelex.losses.captioning import Captioning
from cinelex.models import caption_decoder
from cinelex.models.caption_decoder import TransformerCaptionDecoder, captioned

STUDIES, TOKENS, WIDTH, VOCAB = 3, 9, 5, 41


def leaves(dtype: torch.dtype) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = {"features": (STUDIES, TOKENS, WIDTH), "weight": (VOCAB, WIDTH), "bias": (VOCAB,)}
    drawn = {n: torch.randn(*s, generator=random, dtype=torch.float64) for n, s in shapes.items()}
    return {name: (3 * value).to(dtype).requires_grad_() for name, value in drawn.items()}


def test_costs_and_gradients_equal_those_of_all_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "CHUNK_CELLS", {"cpu": 1})
    monkeypatch.setattr(vocabulary, "MIN_ROWS", 5)
    token_ids = torch.randint(0, VOCAB, (STUDIES, TOKENS), generator=torch.Generator())
    given = leaves(torch.float64)
    logits = given["features"] @ given["weight"].T + given["bias"]
    dense = F.cross_entropy(
        logits[:, :-1].flatten(0, 1), token_ids[:, 1:].flatten(), reduction="none"
    ).view(STUDIES, TOKENS - 1)
    found = next_token_costs(
        given["features"], token_ids, weight=given["weight"], bias=given["bias"]
    )
    torch.testing.assert_close(found, dense, rtol=1e-12, atol=1e-12)
    counts = torch.rand(dense.shape, dtype=torch.float64)
    pairs = [
        torch.autograd.grad((one * counts).sum(), list(given.values())) for one in (found, dense)
    ]
    torch.testing.assert_close(*pairs, rtol=1e-12, atol=1e-12)


def test_a_decoder_of_a_large_vocabulary_costs_what_its_logits_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoder = TransformerCaptionDecoder(
        width=8, memory_width=6, vocab=VOCAB, max_tokens=TOKENS, depth=1, heads=2
    )
    token_ids, memory = torch.randint(1, VOCAB, (2, TOKENS)), torch.randn(2, 4, 6)
    loss = Captioning(pad_id=0)
    held = loss.of(*captioned(decoder, token_ids, memory, None), token_ids)
    monkeypatch.setattr(caption_decoder, "HELD_VOCAB", VOCAB - 1)
    logits, costs = captioned(decoder, token_ids, memory, None)
    assert logits is None
    torch.testing.assert_close(loss.of(logits, costs, token_ids), held)
