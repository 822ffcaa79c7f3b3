"""Aggregators: from the clips or tokens of a study to one vector."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cinelex.models.blocks import Block, FeedForward, check_heads, start_small
from cinelex.models.contracts import Aggregator
from cinelex.models.packing import pad_rows, rows_of, segment_softmax
from cinelex.models.shapes import Owner, Rows, Studies


class MeanAggregator(Aggregator):
    """Average the rows of a study. Nothing is learned: the baseline of every aggregator."""

    def __init__(self, *, width: int) -> None:
        """Take the width that every aggregator takes.

        Args:
            width: Numbers a row and a study.
        """
        super().__init__()
        self.width = width

    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Average in fp32."""
        counts = rows_of(owner, studies=studies)
        total = rows.new_zeros(studies, rows.shape[1], dtype=torch.float32)
        total = total.index_add(0, owner, rows.float())
        return (total / counts[:, None]).to(rows.dtype)


class GatedAttentionAggregator(Aggregator):
    """Average the rows of a study with weights that each row earns by itself.

    With V and U matrices and w a vector, the weight of row h is the softmax, over the rows of its
    study, of wᵗ(tanh(Vh) ⊙ sigmoid(Uh)).

    Source: Ilse et al. 2018, Attention-based deep multiple instance learning, arXiv:1802.04712,
    equation 9.
    """

    def __init__(self, *, width: int, hidden: int = 128) -> None:
        """Make V, U and w.

        Args:
            width: Numbers a row and a study.
            hidden: Rows of V and of U.
        """
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.content = nn.Linear(width, hidden)
        self.gate = nn.Linear(width, hidden)
        # No bias: the softmax would cancel it, and it would never get a gradient.
        self.score = nn.Linear(hidden, 1, bias=False)
        start_small(self)

    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Weigh the rows, and add them up in fp32."""
        rows = self.norm(rows)
        score = self.score(self.content(rows).tanh() * self.gate(rows).sigmoid())
        weighed = segment_softmax(score, owner, studies=studies) * rows
        pooled = weighed.new_zeros(studies, rows.shape[1]).index_add(0, owner, weighed)
        return pooled.to(rows.dtype)


class AttentionPoolingAggregator(Aggregator):
    """Let one learned query attend to the rows of a study, with several heads.

    Source: Lee et al. 2019, Set Transformer, arXiv:1810.00825, section 3.2 (PMA with one seed).
    """

    def __init__(self, *, width: int, heads: int = 4, mlp_ratio: float = 2.0) -> None:
        """Make the query, its attention and the feed-forward part.

        Args:
            width: Numbers a row and a study; a multiple of ``heads``.
            heads: Attention heads.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
        """
        super().__init__()
        check_heads(width=width, heads=heads)
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Parameter(nn.init.trunc_normal_(torch.empty(width), std=0.02))
        # No bias: it moves all scores of a study alike, so the softmax would cancel it.
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.join = nn.Linear(width, width)
        self.join_norm = nn.LayerNorm(width)
        self.mlp = FeedForward(width=width, mlp_ratio=mlp_ratio)
        start_small(self)

    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Pool with softmax and sums in fp32."""
        rows = self.norm(rows)
        keys = self.key(rows).unflatten(1, (self.heads, -1))
        scores = (keys * self.query.view(self.heads, -1)).sum(-1) * keys.shape[-1] ** -0.5
        weight = segment_softmax(scores, owner, studies=studies)
        pooled = self.query + self.join(weighed_sum(weight, self.value(rows), owner, studies))
        return pooled + self.mlp(self.join_norm(pooled))


class ViewAttentionAggregator(Aggregator):
    """Weigh the clips of a study by the view that each shows, and by nothing else of them.

    A matrix reads from a clip's row how probable each view is, and what a head makes of a view is
    one number a view: the weight of clip c is the softmax, over the clips of its study, of
    sum_v w_v p(v | c). With a weight on the term ``views`` the probabilities are taught by the
    views that the manifest names; a clip of unknown view is weighed by what it looks like.
    """

    def __init__(self, *, width: int, views: int = 16, heads: int = 4) -> None:
        """Make what reads views, and what they are worth.

        Args:
            width: Numbers a row and a study; a multiple of ``heads``.
            views: Views that are told apart, at least as many as the training videos name.
            heads: Attention heads, each with a worth of its own for every view.
        """
        super().__init__()
        check_heads(width=width, heads=heads)
        self.heads, self.views = heads, views
        self.norm = nn.LayerNorm(width)
        self.view = nn.Linear(width, views)
        # No bias: it moves all scores of a study alike, so the softmax would cancel it.
        self.worth = nn.Linear(views, heads, bias=False)
        self.value = nn.Linear(width, width)
        self.join = nn.Linear(width, width)
        start_small(self)

    def views_of(self, rows: Rows) -> Float[Tensor, "clip view"]:
        """Return the logits of the views that clips show; fp32."""
        return self.view(self.norm(rows)).float()

    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Pool with softmax and sums in fp32."""
        shown = self.views_of(rows).softmax(dim=1).to(rows.dtype)
        weight = segment_softmax(self.worth(shown), owner, studies=studies)
        return self.join(weighed_sum(weight, self.value(self.norm(rows)), owner, studies))


class ClassTokenAggregator(Aggregator):
    """Let the rows of a study and a class token attend to each other, and return the class token.

    Without positions, so that the order of the rows does not matter.

    Source: Devlin et al. 2019, BERT, arXiv:1810.04805, section 3 ([CLS]), over clips.
    """

    def __init__(
        self, *, width: int, depth: int = 2, heads: int = 4, mlp_ratio: float = 4.0
    ) -> None:
        """Make the class token and the blocks.

        Args:
            width: Numbers a row and a study; a multiple of ``heads``.
            depth: Transformer blocks.
            heads: Attention heads a block.
            mlp_ratio: Hidden width of the feed-forward part, in widths.
        """
        super().__init__()
        self.token = nn.Parameter(nn.init.trunc_normal_(torch.empty(width), std=0.02))
        self.blocks = nn.ModuleList(
            Block(width=width, heads=heads, mlp_ratio=mlp_ratio) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        start_small(self)

    def forward(
        self, rows: Rows, owner: Owner, *, studies: int, max_clips: int | None = None
    ) -> Studies:
        """Pad once, with a mask that no block sees past."""
        table, attention_mask = pad_rows(rows, owner, studies=studies, max_clips=max_clips)
        token = self.token.to(table.dtype).expand(studies, 1, -1)
        table = torch.cat([token, table], dim=1)
        attention_mask = torch.cat([attention_mask.new_ones(studies, 1), attention_mask], dim=1)
        for block in self.blocks:
            table = block(table, attention_mask)
        return self.norm(table[:, 0])


def weighed_sum(
    weight: Float[Tensor, "row head"], values: Rows, owner: Owner, studies: int
) -> Studies:
    """Return the sum of each study's rows, each head's part by its own weights, added in fp32."""
    parts = values.unflatten(1, (weight.shape[1], -1)).float()
    weighed = (weight[..., None] * parts).flatten(1)
    pooled = weighed.new_zeros(studies, values.shape[1]).index_add(0, owner, weighed)
    return pooled.to(values.dtype)
