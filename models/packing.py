"""From rows packed over all studies to one padded table a study."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.models.shapes import Owner


def rows_of(owner: Owner, *, studies: int) -> Int[Tensor, " study"]:
    """Return how many rows each study owns, without waiting for the device as ``bincount`` does."""
    return owner.new_zeros(studies).index_add(0, owner, torch.ones_like(owner))


def pad_rows(
    rows: Float[Tensor, "row *inner"],
    owner: Owner,
    *,
    studies: int,
    max_clips: int | None = None,
) -> tuple[Float[Tensor, "study slot *inner"], Bool[Tensor, "study slot"]]:
    """Give each study a line of slots, filled with its rows in the order they come.

    Args:
        rows: Rows of all studies; whatever a row holds stays together.
        owner: The study, from 0, that each row belongs to; each study owns a row or more.
        studies: Number of studies.
        max_clips: Rows of the study that owns most, where the caller knows, and knows that
            ``owner`` never falls; None finds out, and waits for the device.

    Returns:
        The table, 0 where a study has no row left, and True where it holds a row.

    Raises:
        ValueError: ``max_clips`` is None, and a study owns no row, or a row belongs to no study.
    """
    if max_clips is None:
        max_clips = _most_rows(owner, studies=studies)
        if bool((owner[1:] < owner[:-1]).any()):
            order = owner.argsort(stable=True)
            rows, owner = rows[order], owner[order]
    counts = rows_of(owner, studies=studies)
    attention_mask = torch.arange(max_clips, device=owner.device) < counts[:, None]
    if max_clips * studies == owner.shape[0]:
        return rows.unflatten(0, (studies, max_clips)), attention_mask
    first = counts.cumsum(0) - counts
    slot = torch.arange(owner.shape[0], device=owner.device) - first[owner]
    table = rows.new_zeros(studies, max_clips, *rows.shape[1:])
    return table.index_put((owner, slot), rows), attention_mask


def _most_rows(owner: Owner, *, studies: int) -> int:
    """Return the rows of the study that owns most. Waits for the device."""
    counts = torch.bincount(owner, minlength=studies).tolist()
    if len(counts) != studies:
        raise ValueError(f"a row belongs to study {len(counts) - 1}, but there are {studies}")
    empty = [study for study, count in enumerate(counts) if count == 0]
    if empty:
        raise ValueError(f"studies without a row: {empty}; drop them before the batch is made")
    return max(counts, default=0)


def segment_softmax(
    scores: Float[Tensor, "row head"], owner: Owner, *, studies: int
) -> Float[Tensor, "row head"]:
    """Return, in fp32, the softmax of each head over the rows of each study."""
    scores = scores.float()
    index = owner[:, None].expand_as(scores)
    highest = scores.detach().new_full((studies, scores.shape[1]), -torch.inf)
    highest = highest.scatter_reduce(0, index, scores.detach(), "amax")
    power = (scores - highest[owner]).exp()
    total = power.new_zeros(studies, scores.shape[1]).index_add(0, owner, power)
    return power / total[owner]
