"""The two parts that the first latent captioner failed by, so that a run can be made with them."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.models.blocks import FeedForward, start_small
from cinelex.models.contracts import CaptionDecoder, LatentHead
from cinelex.models.search import GREEDY, Constraint, Search


class FirstPositionDecoder(CaptionDecoder):
    """Adds the latent to the first word alone and predicts each word from the one before."""

    def __init__(self, *, width: int, memory_width: int, vocab: int, depth: int = 1) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.read = nn.Linear(memory_width, width)
        self.think = nn.Sequential(*[FeedForward(width=width, mlp_ratio=2.0) for _ in range(depth)])
        self.to_vocab = nn.Linear(width, vocab)
        start_small(self)

    def forward(
        self,
        token_ids: Int[Tensor, "study word"],
        memory: Float[Tensor, "study token width"],
        attention_mask: Tensor | None,
    ) -> Float[Tensor, "study word vocab"]:
        features = self.embed(token_ids)
        first = features[:, :1] + self.read(memory.mean(1, keepdim=True))
        features = torch.cat([first, features[:, 1:]], dim=1)
        return self.to_vocab(features + self.think(features))

    @torch.no_grad()
    def generate(
        self,
        memory: Float[Tensor, "study token width"],
        attention_mask: Tensor | None,
        *,
        bos_id: int,
        eos_id: int,
        pad_id: int,
        max_tokens: int,
        constraint: Constraint | None = None,
        search: Search = GREEDY,
    ) -> Int[Tensor, "study word"]:
        token_ids = torch.full((len(memory), 1), bos_id)
        for _ in range(max_tokens - 1):
            following = self(token_ids, memory, attention_mask)[:, -1].argmax(-1, keepdim=True)
            token_ids = torch.cat([token_ids, following], dim=1)
        return token_ids


class DeadLatent(LatentHead):
    """A layer with a bias behind an activation that is dead: nothing but the bias comes out."""

    def __init__(self, *, width: int, grid: tuple[int, int, int], latent: int) -> None:
        super().__init__()
        self.latent, self.fan_in = latent, width
        self.dead = nn.Linear(width, width)
        nn.init.constant_(self.dead.bias, -100.0)
        self.to_latent = nn.Linear(width, latent)

    def forward(self, tokens: Float[Tensor, "clip token width"]) -> Float[Tensor, "clip latent"]:
        return self.to_latent(torch.relu(self.dead(tokens.mean(1))))
