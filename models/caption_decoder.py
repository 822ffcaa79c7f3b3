"""Caption decoder: write the report of a study, token by token, looking at all of its tokens."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import FeedForward, check_heads, start_small
from cinelex.models.contracts import CaptionDecoder, Constraint
from cinelex.models.shapes import Logits, Memory, MemoryMask, TokenFeatures, TokenIds

KeysValues = tuple[Float[Tensor, "study head key part"], Float[Tensor, "study head key part"]]
OfTokens = tuple[Float[Tensor, "study head room part"], Float[Tensor, "study head room part"]]
OfMemory = tuple[Float[Tensor, "study head memory part"], Float[Tensor, "study head memory part"]]


@dataclass(frozen=True)
class Cache:
    """What one block remembers while it writes: room for every token, and the study, seen once."""

    token_ids: OfTokens
    memory: OfMemory


class TransformerCaptionDecoder(CaptionDecoder):
    """Attend to the tokens so far and, at every position and in every block, to the study.

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
        """Make the token embeddings, the positions, the blocks and the output.

        Args:
            width: Embedding dimension of a token; a multiple of ``heads``.
            memory_width: Embedding dimension of the study's memory.
            vocab: Tokens that the tokenizer knows.
            max_tokens: Tokens of the longest report.
            depth: Blocks.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
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
        self, token_ids: TokenIds, memory: Memory, attention_mask: MemoryMask | None
    ) -> Logits:
        """Return, at each token, the logits of the token that follows it (teacher forcing)."""
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)
        features = self.embed(token_ids) + self.positions(positions)
        memory, mask = self.memory_norm(memory), _mask(attention_mask)
        for block in self._blocks():
            features = block(features, memory, mask)
        return self.to_vocab(self.norm(features))

    @torch.no_grad()
    def generate(
        self,
        memory: Memory,
        attention_mask: MemoryMask | None,
        *,
        bos_id: int,
        eos_id: int,
        pad_id: int,
        max_tokens: int,
        constraint: Constraint | None = None,
    ) -> TokenIds:
        """Write a report for each study, always taking the likeliest token that is allowed.

        Each step computes one token; what the tokens and the study said before is remembered. It
        stops when every report has ended.

        Raises:
            ValueError: More tokens are asked for than there are positions.
        """
        if max_tokens > self.positions.num_embeddings:
            raise ValueError(
                f"asked for {max_tokens} tokens, made for {self.positions.num_embeddings}"
            )
        caches = self._caches(self.memory_norm(memory), max_tokens)
        token_ids = torch.full((len(memory), max_tokens), pad_id, device=memory.device)
        token_ids[:, 0] = bos_id
        ended, mask = torch.zeros_like(token_ids[:, 0], dtype=torch.bool), _mask(attention_mask)
        for position in range(max_tokens - 1):
            logits = self._step(token_ids[:, position], position, caches, mask)
            if constraint is not None:
                logits = logits.masked_fill(~constraint.allowed(), -torch.inf)
            following = logits.argmax(dim=-1).masked_fill(ended, pad_id)
            if constraint is not None:
                constraint.advance(following)
            token_ids[:, position + 1] = following
            ended = ended | (following == eos_id)
            if bool(ended.all()):
                return token_ids[:, : position + 2]
        return token_ids

    def _caches(self, memory: Memory, max_tokens: int) -> list[Cache]:
        """Look at the study once, and make room for the tokens."""
        caches = []
        for block in self._blocks():
            keys, values = block.cross.remember(memory)
            studies, heads, _, part = keys.shape
            room = keys.new_empty(2, studies, heads, max_tokens, part)
            caches.append(Cache(token_ids=(room[0], room[1]), memory=(keys, values)))
        return caches

    def _step(
        self,
        token: Int[Tensor, " study"],
        position: int,
        caches: list[Cache],
        mask: Bool[Tensor, "study 1 1 memory"] | None,
    ) -> Float[Tensor, "study vocab"]:
        """Return the logits of the token after ``token``, which stands at ``position``."""
        features = (self.embed(token) + self.positions.weight[position])[:, None]
        for block, cache in zip(self._blocks(), caches, strict=True):
            features = block(features, cache.memory, mask, room=cache.token_ids, position=position)
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

    def remember(self, memory: Float[Tensor, "study key width"]) -> KeysValues:
        """Return the keys and values of each position."""
        keys, values = rearrange(
            self.key_value(memory),
            "study key (two head part) -> two study head key part",
            two=2,
            head=self.heads,
        )
        return keys, values

    def forward(
        self,
        features: TokenFeatures,
        remembered: KeysValues,
        *,
        mask: Bool[Tensor, "study 1 1 key"] | None,
        causal: bool,
    ) -> TokenFeatures:
        """Attend from each token to what is remembered; ``causal`` hides what comes later."""
        query = rearrange(
            self.query(features),
            "study token (head part) -> study head token part",
            head=self.heads,
        )
        keys, values = remembered
        seen = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal)
        return self.join(rearrange(seen, "study head token part -> study token (head part)"))


class _Block(nn.Module):
    """Attend to the tokens so far, to the study, and think."""

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
        features: TokenFeatures,
        memory: OfMemory | Float[Tensor, "study memory memory_width"],
        mask: Bool[Tensor, "study 1 1 memory"] | None,
        room: OfTokens | None = None,
        position: int = 0,
    ) -> TokenFeatures:
        """Take all tokens, each seeing those before it, or one token that sees all in ``room``.

        Args:
            features: The tokens, or the one token that is new.
            memory: Keys and values of the study, or the tokens that they are made of: nothing of a
                block is called around it, where it may be sharded.
            mask: True where the study has a token; None where nothing is absent.
            room: Where the keys and values of the tokens are kept; the new token's are written.
            position: Where the new token stands.
        """
        normed = self.own_norm(features)
        keys, values = self.own.remember(normed)
        if room is not None:
            room[0][:, :, position : position + 1], room[1][:, :, position : position + 1] = (
                keys,
                values,
            )
            keys, values = room[0][:, :, : position + 1], room[1][:, :, : position + 1]
        features = features + self.own(normed, (keys, values), mask=None, causal=room is None)
        normed = self.cross_norm(features)
        remembered = self.cross.remember(memory) if isinstance(memory, Tensor) else memory
        features = features + self.cross(normed, remembered, mask=mask, causal=False)
        return features + self.mlp(self.mlp_norm(features))


def _mask(
    attention_mask: MemoryMask | None,
) -> Bool[Tensor, "study 1 1 memory"] | None:
    """Return the mask of the study's tokens, or None where nothing is absent."""
    return None if attention_mask is None else attention_mask[:, None, None]
