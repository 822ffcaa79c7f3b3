"""Caption decoder: write the report of a study, token by token, looking at all of its tokens."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cinelex.core.vocabulary import next_token_costs
from cinelex.models.blocks import check_heads, start_small
from cinelex.models.cached_blocks import Cache, CachedBlock
from cinelex.models.contracts import CaptionDecoder
from cinelex.models.generation import Ids, write_texts
from cinelex.models.search import GREEDY, Constraint, Search
from cinelex.models.shapes import Logits, Memory, MemoryMask, TokenIds
from cinelex.models.text_buckets import Buckets, rows_of, stacked

HELD_VOCAB = 8192
"""Tokens up to which the logits of all are simply held."""
Costs = Float[Tensor, "study next"]


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
            CachedBlock(width=width, memory_width=memory_width, heads=heads, mlp_ratio=mlp_ratio)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.to_vocab = nn.Linear(width, vocab)
        start_small(self)

    def forward(
        self, token_ids: TokenIds, memory: Memory, attention_mask: MemoryMask | None
    ) -> Logits:
        """Return, at each token, the logits of the token that follows it (teacher forcing)."""
        return self.to_vocab(self._features(token_ids, memory, attention_mask))

    def costs(
        self, token_ids: TokenIds, memory: Memory, attention_mask: MemoryMask | None
    ) -> Costs:
        """Return -log p of each token but the first, in nats, without holding the logits."""
        return next_token_costs(
            self._features(token_ids, memory, attention_mask),
            token_ids.long(),
            weight=self.to_vocab.weight,
            bias=self.to_vocab.bias,
        )

    def _features(
        self, token_ids: TokenIds, memory: Memory, attention_mask: MemoryMask | None
    ) -> Float[Tensor, "study token dim"]:
        positions = torch.arange(token_ids.shape[1], device=token_ids.device)
        features = self.embed(token_ids) + self.positions(positions)
        memory, mask = self.memory_norm(memory), _mask(attention_mask)
        for block in self._blocks():
            features = block(features, memory, mask)
        normed: Tensor = self.norm(features)
        return normed

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
        search: Search = GREEDY,
    ) -> TokenIds:
        """Write a report for each study, as ``search`` says, of tokens that are allowed.

        Each step computes one token; what the tokens and the study said before is remembered.
        Reports that have ended are no longer computed.

        Raises:
            ValueError: More tokens are asked for than there are positions.
        """
        if max_tokens > self.positions.num_embeddings:
            raise ValueError(
                f"asked for {max_tokens} tokens, made for {self.positions.num_embeddings}"
            )
        caches = self._caches(self.memory_norm(memory), max_tokens)
        return write_texts(
            _Writing(self, caches, _mask(attention_mask)),
            len(memory),
            memory.device,
            ids=Ids(bos=bos_id, eos=eos_id, pad=pad_id),
            max_tokens=max_tokens,
            search=search,
            constraint=constraint,
        )

    def _caches(self, memory: Memory, max_tokens: int) -> list[Cache]:
        """Look at the study once, and make room for the tokens."""
        caches = []
        for block in self._blocks():
            keys, values = block.cross.remember(memory)
            studies, heads, _, part = keys.shape
            room = keys.new_empty(2, studies, heads, max_tokens, part)
            caches.append(Cache(token_ids=(room[0], room[1]), memory=(keys, values)))
        return caches

    def step(
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

    def _blocks(self) -> list["CachedBlock"]:
        """Return the blocks, by their type."""
        return [block for block in self.blocks if isinstance(block, CachedBlock)]


def captioned(
    decoder: CaptionDecoder | None,
    token_ids: TokenIds,
    memory: Memory,
    attention_mask: MemoryMask | None,
    buckets: Buckets = (),
) -> tuple[Logits | None, Costs | None]:
    """Return the logits of captions, or over a large vocabulary what each token costs.

    Args:
        decoder: None writes none.
        token_ids: The reports.
        memory: What there is to look at of each study.
        attention_mask: True where ``memory`` holds something; None where it is full.
        buckets: Groups of reports that are read one after the other.
    """
    if decoder is None:
        return None, None
    if buckets:
        groups = [
            captioned(
                decoder,
                token_ids[rows, :tokens],
                memory[rows],
                None if attention_mask is None else attention_mask[rows],
            )
            for rows, tokens in rows_of(buckets)
        ]
        logits, costs = (
            [part for part in parts if part is not None] for parts in zip(*groups, strict=True)
        )
        width = token_ids.shape[1]
        return (
            stacked(logits, tokens=width) if logits else None,
            stacked(costs, tokens=width - 1) if costs else None,
        )
    if (
        isinstance(decoder, TransformerCaptionDecoder)
        and decoder.to_vocab.out_features > HELD_VOCAB
    ):
        return None, decoder.costs(token_ids, memory, attention_mask)
    return decoder(token_ids, memory, attention_mask), None


class _Writing:
    """The reports that a decoder is writing."""

    def __init__(
        self,
        decoder: TransformerCaptionDecoder,
        caches: list[Cache],
        mask: Bool[Tensor, "study 1 1 memory"] | None,
    ) -> None:
        self.decoder, self.caches, self.mask = decoder, caches, mask

    def step(self, token: Int[Tensor, " row"], position: int) -> Float[Tensor, "row vocab"]:
        """Return the logits of the token after ``token``."""
        return self.decoder.step(token, position, self.caches, self.mask)

    def take(self, rows: Int[Tensor, " kept"]) -> None:
        """Go on with these rows."""
        self.caches = [cache.of(rows) for cache in self.caches]
        self.mask = None if self.mask is None else self.mask[rows]


def _mask(
    attention_mask: MemoryMask | None,
) -> Bool[Tensor, "study 1 1 memory"] | None:
    """Return the mask of the study's tokens, or None where nothing is absent."""
    return None if attention_mask is None else attention_mask[:, None, None]
