"""A moving average of a video encoder, whose tokens are what masked modelling predicts."""

import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from cinelex.core.distributed import sum_over_ranks
from cinelex.core.sharding import own_part
from cinelex.models.contracts import VideoEncoder
from cinelex.models.shapes import Clips, ClipTokens

LATENT_TEACHER = "latent_teacher"
"""Its name among the companions of a model."""


class LatentTeacher(nn.Module):
    """See whole clips through averaged weights; never trained, and always in evaluation mode."""

    def __init__(self, student: VideoEncoder) -> None:
        """Begin at the student's weights."""
        super().__init__()
        self.encoder = copy.deepcopy(student).requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "LatentTeacher":
        """Stay in evaluation mode, whatever the model does that this travels with."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, clips: Clips) -> ClipTokens:
        """Return every token of whole clips, of mean 0 and variance 1 over its numbers; fp32."""
        tokens: Tensor = self.encoder(clips)
        return F.layer_norm(tokens.float(), tokens.shape[-1:])

    @torch.no_grad()
    def distance(self, student: VideoEncoder) -> Tensor:
        """Return the length of (student - teacher) over that of the teacher, of all weights."""
        pairs = [*zip(self.encoder.parameters(), student.parameters(), strict=True)]
        own = [own_part(teacher).float() for teacher, _ in pairs]
        way = torch._foreach_sub([own_part(weight.detach()).float() for _, weight in pairs], own)
        squares = [torch.stack(torch._foreach_norm(part)).square().sum() for part in (way, own)]
        # where every rank holds all weights, both are counted once a rank
        moved, length = sum_over_ranks(torch.stack(squares)).sqrt()
        return moved / length


def taught(
    companions: nn.ModuleDict, clips: Clips, masked: Int[Tensor, " masked"] | None
) -> Float[Tensor, "masked token width"] | None:
    """Return what the teacher among a model's companions makes of the masked clips; None if none.

    The model's ``forward`` asks it, so that weights that are spread over the ranks are there.
    """
    if LATENT_TEACHER not in companions:
        return None
    tokens: Tensor = companions[LATENT_TEACHER](clips if masked is None else clips[masked])
    return tokens


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, *, momentum: float) -> None:
    """Move a teacher's weights towards the student's: t <- momentum t + (1 - momentum) s.

    Buffers are copied. Weights that are spread over the ranks move where they are.
    """
    current = dict(student.named_parameters())
    for name, weight in teacher.named_parameters():
        own_part(weight).lerp_(own_part(current[name].detach()), 1 - momentum)
    buffers = dict(student.named_buffers())
    for name, value in teacher.named_buffers():
        value.copy_(buffers[name])
