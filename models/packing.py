"""From rows packed over all studies to one padded table a study."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def pad_rows(
    rows: Float[Tensor, "row *inner"], owner: Int[Tensor, " row"], *, studies: int
) -> tuple[Float[Tensor, "study slot *inner"], Bool[Tensor, "study slot"]]:
    """Give each study a line of slots, filled with its rows in the order they come.

    Args:
        rows: Rows of all studies; whatever a row holds stays together.
        owner: The study, from 0, that each row belongs to.
        studies: Number of studies.

    Returns:
        The table, 0 where a study has no row left, and True where it holds a row.

    Raises:
        ValueError: A study owns no row, or a row belongs to no study.
    """
    counts = torch.bincount(owner, minlength=studies)
    if len(counts) != studies:
        raise ValueError(f"a row belongs to study {len(counts) - 1}, but there are {studies}")
    if studies and not bool(counts.all()):
        empty = (counts == 0).nonzero().flatten().tolist()
        raise ValueError(f"studies without a row: {empty}; drop them before the batch is made")
    longest = int(counts.max())
    present = torch.arange(longest, device=owner.device) < counts[:, None]
    order = owner.argsort(stable=True)
    if bool((owner[1:] < owner[:-1]).any()):
        rows = rows[order]
    if longest * studies == len(owner):
        return rows.unflatten(0, (studies, longest)), present
    table = rows.new_zeros(studies, longest, *rows.shape[1:])
    table[present] = rows
    return table, present


def segment_softmax(
    scores: Float[Tensor, "row head"], owner: Int[Tensor, " row"], *, studies: int
) -> Float[Tensor, "row head"]:
    """Return, in fp32, the softmax of each head over the rows of each study."""
    scores = scores.float()
    index = owner[:, None].expand_as(scores)
    highest = scores.detach().new_full((studies, scores.shape[1]), -torch.inf)
    highest = highest.scatter_reduce(0, index, scores.detach(), "amax")
    power = (scores - highest[owner]).exp()
    total = power.new_zeros(studies, scores.shape[1]).index_add(0, owner, power)
    return power / total[owner]
