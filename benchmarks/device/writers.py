"""The decoder of another library that captions are written with beside this project's."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def bert_writer(
    memory: Tensor, *, width: int, depth: int, heads: int, vocab: int, tokens: int
) -> Callable[[], Tensor]:
    """Return what writes so many tokens about each study by ``generate`` of transformers.

    A BERT decoder of that size, on the device of ``memory``, greedy, with its cache.
    """
    from transformers import BertConfig, BertLMHeadModel, DynamicCache, EncoderDecoderCache

    sizes = BertConfig(
        vocab_size=vocab,
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        is_decoder=True,
        add_cross_attention=True,
    )
    peer: Any = BertLMHeadModel(sizes)
    peer = peer.to(memory.device).eval()
    first = torch.ones(len(memory), 1, dtype=torch.int64, device=memory.device)

    def write() -> Tensor:
        found: Tensor = peer.generate(
            first,
            attention_mask=torch.ones_like(first),
            encoder_hidden_states=memory,
            max_new_tokens=tokens - 1,
            min_new_tokens=tokens - 1,
            do_sample=False,
            past_key_values=EncoderDecoderCache(DynamicCache(), DynamicCache()),
            pad_token_id=0,
            eos_token_id=0,
        )
        return found

    return write
