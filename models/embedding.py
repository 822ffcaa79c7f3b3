"""The last two steps into a space that two towers share: a linear map, and length 1."""

from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

HeadsKind = Literal["linear", "study", "none"]
"""Maps of both towers into the shared space, of studies alone, or of neither."""


def embedding_head(width: int, dim: int) -> nn.Linear:
    """Return a linear map into a shared space: no bias, and nothing after it but the length."""
    head = nn.Linear(width, dim, bias=False)
    nn.init.trunc_normal_(head.weight, std=0.02)
    return head


def unit_rows(rows: Float[Tensor, "*rows dim"]) -> Float[Tensor, "*rows dim"]:
    """Scale each row to length 1, in fp32."""
    return F.normalize(rows.float(), dim=-1)


def embedding_heads(
    kind: HeadsKind, video_width: int, text_width: int, *, dim: int
) -> tuple[nn.Module, nn.Module]:
    """Return the heads of studies and of reports; none where a tower ends in the shared space.

    Raises:
        ValueError: A tower without a head ends in another space.
    """
    mapped = {"linear": (True, True), "study": (True, False), "none": (False, False)}[kind]
    widths = (video_width, text_width)
    if not all(one or width == dim for one, width in zip(mapped, widths, strict=True)):
        raise ValueError(
            f"model.heads={kind} needs towers that end in the shared space of {dim} numbers; "
            f"these end in {video_width} and {text_width}"
        )
    study, report = (
        embedding_head(width, dim) if one else nn.Identity()
        for one, width in zip(mapped, widths, strict=True)
    )
    return study, report
