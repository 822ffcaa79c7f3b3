"""Which tokens mean the same word: with a space before them or not, in capitals or not."""

import numpy as np
from jaxtyping import Int64

from cinelex.data.text.tokenizer import Tokenizer

REPLACED = "\N{REPLACEMENT CHARACTER}"
"""What decoders write for a part of a letter."""


def terms_of(tokenizer: Tokenizer) -> Int64[np.ndarray, " vocab"]:
    """Return the number of each token's term; a token that is no text is a term of its own."""
    numbers: dict[str | int, int] = {}
    terms = np.empty(tokenizer.vocab_size, np.int64)
    for token in range(tokenizer.vocab_size):
        text = tokenizer.decode([token]).strip().casefold()
        name = token if not text or REPLACED in text else text
        terms[token] = numbers.setdefault(name, len(numbers))
    return terms
