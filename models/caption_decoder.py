"""Caption decoder: write the report of a study, word by word, looking at all of its tokens."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import FeedForward, check_heads, start_small
from cinelex.models.contracts import CaptionDecoder

KeysValues = tuple[Float[Tensor, "study head place part"], Float[Tensor, "study head place part"]]
OfWords = tuple[Float[Tensor, "study head room part"], Float[Tensor, "study head room part"]]
OfStudy = tuple[Float[Tensor, "study head token part"], Float[Tensor, "study head token part"]]


@dataclass(frozen=True)
class Cache:
    """What one block remembers while it writes: room for every word, and the study, seen once."""

    token_ids: OfWords
    memory: OfStudy


class TransformerCaptionDecoder(CaptionDecoder):
    """Attend to the words so far and, at every position and in every block, to the study.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.1 (decoder); Yu et al. 2022, CoCa,
    arXiv:2205.01917, section 3.2 (captioning beside a contrastive loss).
    """

    def __init__(
        self,
        *,
        width: int,
        memory_width: int,
        vocab: int,
        max_tokens: int,
        depth: int = 2,
        heads: int = 4,
        mlp_ratio: float = 4.0,
    ) -> None:
        """Make the word vectors, the positions, the blocks and the output.

        Args:
            width: Numbers a word; a multiple of ``heads``.
            memory_width: Numbers a token of the study.
            vocab: Words that the tokenizer knows.
            max_tokens: Words of the longest report.
            depth: Blocks.
            heads: Attention heads a block.
            mlp_ratio: Hidden numbers of the feed-forward part, in widths.
        """
        super().__init__()
        check_heads(width=width, heads=heads)
        self.embed = nn.Embedding(vocab, width)
        self.positions = nn.Embedding(max_tokens, width)
        self.memory_norm = nn.LayerNorm(memory_width)
        self.blocks = nn.ModuleList(
            _Block(width=width, memory_width=memory_width, heads=heads, mlp_ratio=mlp_ratio)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.to_vocab = nn.Linear(width, vocab)
        start_small(self)

    def forward(
        self,
        token_ids: Int[Tensor, "study word"],
        memory: Float[Tensor, "study token width"],
        attention_mask: Bool[Tensor, "study token"] | None,
    ) -> Float[Tensor, "study word vocab"]:
        """Return, at each word, the logits of the word that follows it (teacher forcing)."""
        place = torch.arange(token_ids.shape[1], device=token_ids.device)
        features = self.embed(token_ids) + self.positions(place)
        memory, mask = self.memory_norm(memory), _mask(attention_mask)
        for block in self._blocks():
            features = block(features, memory, mask)
        return self.to_vocab(self.norm(features))

    @torch.no_grad()
    def generate(
        self,
        memory: Float[Tensor, "study token width"],
        attention_mask: Bool[Tensor, "study token"] | None,
        *,
        bos_id: int,
        eos_id: int,
        pad_id: int,
        max_tokens: int,
    ) -> Int[Tensor, "study word"]:
        """Write a report for each study, always taking the likeliest word.

        Each step computes one word; what the words and the study said before is remembered. It
        stops when every report has ended.

        Raises:
            ValueError: More words are asked for than there are positions.
        """
        if max_tokens > self.positions.num_embeddings:
            raise ValueError(
                f"asked for {max_tokens} words, made for {self.positions.num_embeddings}"
            )
        caches = self._caches(self.memory_norm(memory), max_tokens)
        token_ids = torch.full((len(memory), max_tokens), pad_id, device=memory.device)
        token_ids[:, 0] = bos_id
        ended, mask = torch.zeros_like(token_ids[:, 0], dtype=torch.bool), _mask(attention_mask)
        for place in range(max_tokens - 1):
            logits = self._step(token_ids[:, place], place, caches, mask)
            following = logits.argmax(dim=-1).masked_fill(ended, pad_id)
            token_ids[:, place + 1] = following
            ended = ended | (following == eos_id)
            if bool(ended.all()):
                return token_ids[:, : place + 2]
        return token_ids

    def _caches(self, memory: Float[Tensor, "study token width"], max_tokens: int) -> list[Cache]:
        """Look at the study once, and make room for the words."""
        caches = []
        for block in self._blocks():
            keys, values = block.cross.remember(memory)
            studies, heads, _, part = keys.shape
            room = keys.new_empty(2, studies, heads, max_tokens, part)
            caches.append(Cache(token_ids=(room[0], room[1]), memory=(keys, values)))
        return caches

    def _step(
        self,
        word: Int[Tensor, " study"],
        place: int,
        caches: list[Cache],
        mask: Bool[Tensor, "study 1 1 token"] | None,
    ) -> Float[Tensor, "study vocab"]:
        """Return the logits of the word after ``word``, which stands at ``place``."""
        features = (self.embed(word) + self.positions.weight[place])[:, None]
        for block, cache in zip(self._blocks(), caches, strict=True):
            features = block(features, cache.memory, mask, room=cache.token_ids, place=place)
        return self.to_vocab(self.norm(features[:, 0]))

    def _blocks(self) -> list["_Block"]:
        """Return the blocks, by their type."""
        return [block for block in self.blocks if isinstance(block, _Block)]


class _Attention(nn.Module):
    """Multi-head attention whose keys and values can be made once and used many times."""

    def __init__(self, *, width: int, memory_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(memory_width, 2 * width)
        self.join = nn.Linear(width, width)

    def remember(self, memory: Float[Tensor, "study place width"]) -> KeysValues:
        """Return the keys and values of each place."""
        keys, values = rearrange(
            self.key_value(memory),
            "study place (two head part) -> two study head place part",
            two=2,
            head=self.heads,
        )
        return keys, values

    def forward(
        self,
        features: Float[Tensor, "study word width"],
        remembered: KeysValues,
        *,
        mask: Bool[Tensor, "study 1 1 place"] | None,
        causal: bool,
    ) -> Float[Tensor, "study word width"]:
        """Attend from each word to the places; ``causal`` hides the words that come later."""
        query = rearrange(
            self.query(features), "study word (head part) -> study head word part", head=self.heads
        )
        keys, values = remembered
        seen = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal)
        return self.join(rearrange(seen, "study head word part -> study word (head part)"))


class _Block(nn.Module):
    """Attend to the words so far, to the study, and think."""

    def __init__(self, *, width: int, memory_width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        self.own_norm = nn.LayerNorm(width)
        self.own = _Attention(width=width, memory_width=width, heads=heads)
        self.cross_norm = nn.LayerNorm(width)
        self.cross = _Attention(width=width, memory_width=memory_width, heads=heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = FeedForward(width=width, mlp_ratio=mlp_ratio)

    def forward(
        self,
        features: Float[Tensor, "study word width"],
        memory: OfStudy | Float[Tensor, "study token memory_width"],
        mask: Bool[Tensor, "study 1 1 token"] | None,
        room: OfWords | None = None,
        place: int = 0,
    ) -> Float[Tensor, "study word width"]:
        """Take all words, each seeing those before it, or one word that sees all in ``room``.

        Args:
            features: The words, or the one word that is new.
            memory: Keys and values of the study, or the tokens that they are made of: nothing of a
                block is called around it, where it may be sharded.
            mask: True where the study has a token; None where nothing is absent.
            room: Where the keys and values of the words are kept; the new word's are written.
            place: Where the new word stands.
        """
        normed = self.own_norm(features)
        keys, values = self.own.remember(normed)
        if room is not None:
            room[0][:, :, place : place + 1], room[1][:, :, place : place + 1] = keys, values
            keys, values = room[0][:, :, : place + 1], room[1][:, :, : place + 1]
        features = features + self.own(normed, (keys, values), mask=None, causal=room is None)
        normed = self.cross_norm(features)
        remembered = self.cross.remember(memory) if isinstance(memory, Tensor) else memory
        features = features + self.cross(normed, remembered, mask=mask, causal=False)
        return features + self.mlp(self.mlp_norm(features))


def _mask(
    attention_mask: Bool[Tensor, "study token"] | None,
) -> Bool[Tensor, "study 1 1 token"] | None:
    """Return the mask of the study's tokens, or None where nothing is absent."""
    return None if attention_mask is None else attention_mask[:, None, None]
