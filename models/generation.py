"""From the logits of the next token to whole texts: greedily, by nucleus, or by beams."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.models.search import Constraint, Search
from cinelex.models.shapes import TokenIds

NEVER = -1.0e9


@dataclass(frozen=True, kw_only=True)
class Ids:
    """The ids that mean something to a decoder."""

    bos: int
    eos: int
    pad: int


@runtime_checkable
class Writing(Protocol):
    """Rows of texts that are being written, with what their decoder remembers of them."""

    def step(self, token: Int[Tensor, " row"], position: int) -> Float[Tensor, "row vocab"]:
        """Return the logits of the token after ``token``, which stands at ``position``."""

    def take(self, rows: Int[Tensor, " kept"]) -> None:
        """Go on with these rows, in this order; one may stand there several times."""


@torch.no_grad()
def write_texts(
    writing: Writing,
    rows: int,
    device: torch.device,
    *,
    ids: Ids,
    max_tokens: int,
    search: Search,
    constraint: Constraint | None = None,
) -> TokenIds:
    """Return texts from ``ids.bos`` to ``ids.eos``, then padding; all end together.

    There is one a row, or ``search.n_best`` of a row one after the other, the best first.

    Raises:
        ValueError: Beams are to obey a constraint, which follows one text a row.
    """
    if search.beams == 1:
        return _one_by_one(writing, rows, device, ids, max_tokens, search, constraint)
    if constraint is not None:
        raise ValueError("a constraint follows one text a row; set beams to 1")
    return _beams(writing, rows, device, ids, max_tokens, search)


def _one_by_one(
    writing: Writing,
    rows: int,
    device: torch.device,
    ids: Ids,
    max_tokens: int,
    search: Search,
    constraint: Constraint | None,
) -> TokenIds:
    """Take or draw one token a step; rows that have ended are no longer computed."""
    texts = torch.full((rows, max_tokens), ids.pad, device=device)
    texts[:, 0] = ids.bos
    open_rows = torch.arange(rows, device=device)
    draw = torch.Generator(device).manual_seed(search.seed)
    for position in range(max_tokens - 1):
        logits = writing.step(texts[open_rows, position], position)
        if constraint is not None:
            logits = logits.masked_fill(~constraint.allowed()[open_rows], -torch.inf)
        following = _chosen(logits, rows, open_rows, search, draw)
        texts[open_rows, position + 1] = following
        if constraint is not None:
            constraint.advance(texts[:, position + 1])
        going = (following != ids.eos).nonzero().squeeze(1)
        if len(going) < len(open_rows):
            open_rows = open_rows[going]
            if not len(open_rows):
                return texts[:, : position + 2]
            writing.take(going)
    return texts


def _chosen(
    logits: Float[Tensor, "row vocab"],
    rows: int,
    open_rows: Int[Tensor, " row"],
    search: Search,
    draw: torch.Generator,
) -> Int[Tensor, " row"]:
    if search.top_p is None:
        return logits.argmax(dim=-1)
    # drawn for all rows, so that which have ended changes nothing for the others
    level = torch.rand(rows, generator=draw, device=logits.device)[open_rows]
    power, order = (logits.float() / search.temperature).softmax(dim=-1).sort(descending=True)
    before = power.cumsum(dim=-1) - power
    kept = torch.where(before < search.top_p, power, 0.0)
    reached = kept.cumsum(dim=-1) <= (level * kept.sum(dim=-1))[:, None]
    place = reached.sum(dim=-1).clamp_max((kept > 0).sum(dim=-1) - 1)
    return order.gather(1, place[:, None]).squeeze(1)


def _beams(
    writing: Writing,
    rows: int,
    device: torch.device,
    ids: Ids,
    max_tokens: int,
    search: Search,
) -> TokenIds:
    """Keep the likeliest beginnings; the ended texts with the best mean log-likelihood are kept.

    A row ends when no beginning that is left could be better than its worst ended text, by the
    length so far. Equal to transformers' ``generate`` with ``early_stopping=False``.

    Source: Wu et al. 2016, arXiv:1609.08144, section 7; transformers 5, ``_beam_search``.
    """
    found = _Beams(rows, device, ids, max_tokens, search)
    writing.take(torch.arange(rows, device=device).repeat_interleave(search.beams))
    for position in range(max_tokens - 1):
        logits = writing.step(found.running[:, :, position].flatten(), position)
        parents = found.extend(logits, position)
        going = found.unfinished()
        if not len(going) or position == max_tokens - 2:
            break
        places = going[:, None] * search.beams + parents[going]
        found.keep(going)
        writing.take(places.flatten())
    texts = found.texts.flatten(0, 1)
    ends = texts == ids.eos
    lengths = torch.where(ends.any(dim=1), ends.int().argmax(dim=1) + 1, max_tokens)
    return texts[:, : int(lengths.max())]


class _Beams:
    """The running and the ended texts of every row that is still written."""

    def __init__(
        self, rows: int, device: torch.device, ids: Ids, max_tokens: int, search: Search
    ) -> None:
        self.ids, self.max_tokens, self.search = ids, max_tokens, search
        shape = (rows, search.beams, max_tokens)
        self.running = torch.full(shape, ids.pad, device=device)
        self.running[:, :, 0] = ids.bos
        self.ended = self.running.clone()
        self.scores = torch.full(shape[:2], NEVER, device=device)
        self.running_scores = self.scores.clone()
        self.running_scores[:, 0] = 0.0
        self.is_ended = torch.zeros(shape[:2], dtype=torch.bool, device=device)
        self.texts = self.running[:, : search.n_best].clone()
        self.rows = torch.arange(rows, device=device)

    def extend(
        self, logits: Float[Tensor, "beginning vocab"], position: int
    ) -> Int[Tensor, "row beam"]:
        """Add a token to every beginning; return which beginning each goes on from."""
        beams, ids = self.search.beams, self.ids
        likely = logits.float().log_softmax(dim=-1).unflatten(0, (len(self.rows), beams))
        total = self.running_scores[:, :, None] + likely
        vocab = total.shape[-1]
        best, flat = total.flatten(1).topk(2 * beams, dim=1)
        parent, token = flat // vocab, flat % vocab
        grown = self._of(self.running, parent)
        grown[:, :, position + 1] = token
        stops = (token == ids.eos) | (position + 2 >= self.max_tokens)
        running, places = (best + stops * NEVER).topk(beams, dim=1)
        self._end(grown, best, stops, position)
        self.running, self.running_scores = self._of(grown, places), running
        self._length = position + 1
        return parent.gather(1, places)

    def _end(
        self,
        grown: Int[Tensor, "row candidate token"],
        best: Float[Tensor, "row candidate"],
        stops: Bool[Tensor, "row candidate"],
        position: int,
    ) -> None:
        """Merge texts that ended among the best candidates with those that ended before."""
        first = torch.arange(best.shape[1], device=best.device) < self.search.beams
        just = stops & first
        scores = best / (position + 1) ** self.search.length_penalty + (~just) * NEVER
        merged, places = torch.cat([self.scores, scores], dim=1).topk(self.search.beams, dim=1)
        self.ended = self._of(torch.cat([self.ended, grown], dim=1), places)
        self.is_ended = torch.cat([self.is_ended, just], dim=1).gather(1, places)
        self.scores = merged
        kept = slice(self.search.n_best)
        is_ended = self.is_ended[:, kept, None]
        self.texts[self.rows] = torch.where(is_ended, self.ended[:, kept], self.running[:, kept])

    def unfinished(self) -> Int[Tensor, " row"]:
        """Return the rows in which a beginning could still be better than an ended text."""
        possible = self.running_scores[:, 0] / self._length**self.search.length_penalty
        worst = self.scores.amin(dim=1)
        worst = torch.where(self.is_ended.all(dim=1), worst, NEVER)
        return (possible > worst).nonzero().squeeze(1)

    def keep(self, going: Int[Tensor, " row"]) -> None:
        """Go on with some rows."""
        self.rows = self.rows[going]
        self.running, self.ended = self.running[going], self.ended[going]
        self.scores, self.is_ended = self.scores[going], self.is_ended[going]
        self.running_scores = self.running_scores[going]

    @staticmethod
    def _of(
        texts: Int[Tensor, "row from token"], places: Int[Tensor, "row to"]
    ) -> Int[Tensor, "row to token"]:
        return texts.gather(1, places[:, :, None].expand(-1, -1, texts.shape[2]))
