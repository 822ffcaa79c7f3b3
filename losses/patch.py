"""Patch-level contrastive loss: the tokens of a report must find their patches in the videos."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from cinelex.core.distributed import gather_rows, max_over_ranks, row_counts
from cinelex.losses.contrastive import Form, info_nce_from_logits
from cinelex.losses.pairs import Pairs


@dataclass(frozen=True, kw_only=True)
class PatchContrastive:
    """Symmetric InfoNCE over fine-grained similarities of the global batch, in nats.

    With a_ijkl the cosine of patch k of study i and token l of report j, padding left out:

        s_ij = 1/2 (mean over tokens l of max over patches k of a_ijkl
                    + mean over patches k of max over tokens l of a_ijkl)
        loss = InfoNCE of s / temperature

    Unlike the paper, which gives each direction its own half of s, both directions share s, so that
    one matrix ranks studies and reports. Chance is that of `InfoNCE`: ln(global batch) without
    repeated patients.

    Source: Yao et al. 2021, FILIP, arXiv:2111.07783, equations 3 to 6.
    """

    form: Form = "out"
    """What to do with several positives; see `InfoNCE`."""
    pairs_at_once: int = 2**24
    """How many pairs of a patch and a token are in memory at a time; changes no value."""

    def __call__(
        self,
        patches: Float[Tensor, "study patch dim"],
        patch_mask: Bool[Tensor, "study patch"],
        token_features: Float[Tensor, "study token dim"],
        token_mask: Bool[Tensor, "study token"],
        *,
        temperature: Float[Tensor, ""],
        report_group: Int[Tensor, " study"],
        patient_group: Int[Tensor, " study"],
    ) -> Float[Tensor, ""]:
        """Score everyone's patches against everyone's tokens; every rank gets the same value.

        Args:
            patches: Unit features of the patches of this rank's studies.
            patch_mask: False where a patch is padding.
            token_features: Unit features of this rank's reports; ranks may differ in length.
            token_mask: False where a token is padding.
            temperature: Divides the similarities; positive.
            report_group: Equal numbers mean equal report texts, on whatever rank they are.
            patient_group: Equal numbers mean the same patient, on whatever rank they are.

        Raises:
            RuntimeError: A study has no patch, or a report no token.
        """
        _refuse_empty("patch_mask", patch_mask)
        _refuse_empty("token_mask", token_mask)
        counts = row_counts(patches)
        missing = max_over_ranks(token_features.shape[1]) - token_features.shape[1]
        similarity = late_interaction(
            patches,
            patch_mask,
            gather_rows(F.pad(token_features, (0, 0, 0, missing)), counts=counts),
            gather_rows(F.pad(token_mask, (0, missing)), counts=counts),
            pairs_at_once=self.pairs_at_once,
        )
        logits = gather_rows(similarity, counts=counts) / temperature.to(similarity.dtype)
        pairs = Pairs.of(
            gather_rows(report_group, counts=counts), gather_rows(patient_group, counts=counts)
        )
        return info_nce_from_logits(logits, pairs, form=self.form)


def late_interaction(
    patches: Float[Tensor, "study patch dim"],
    patch_mask: Bool[Tensor, "study patch"],
    token_features: Float[Tensor, "gallery token dim"],
    token_mask: Bool[Tensor, "gallery token"],
    *,
    pairs_at_once: int,
) -> Float[Tensor, "study gallery"]:
    """Return how well the patches of each study and the tokens of each report find one another.

    In float32 or better, and in [-1, 1] for unit features. Backward keeps the positions of the
    maxima, not the similarities, so memory stays at ``pairs_at_once``.
    """
    precision = torch.promote_types(patches.dtype, torch.float32)
    patches, token_features = patches.to(precision), token_features.to(precision)
    reports = max(1, pairs_at_once // max(1, patch_mask.numel() * token_features.shape[1]))
    with torch.autocast(patches.device.type, enabled=False):
        blocks = [
            _block(patches, patch_mask, some_tokens, some_mask)
            for some_tokens, some_mask in zip(
                token_features.split(reports), token_mask.split(reports), strict=True
            )
        ]
    return torch.cat(blocks, dim=1)


def _block(
    patches: Float[Tensor, "study patch dim"],
    patch_mask: Bool[Tensor, "study patch"],
    token_features: Float[Tensor, "gallery token dim"],
    token_mask: Bool[Tensor, "gallery token"],
) -> Float[Tensor, "study gallery"]:
    """Compare all patches with the tokens of some reports, all at once."""
    cosine = torch.einsum("skd,gld->sgkl", patches, token_features)
    no_patch, no_token = ~patch_mask[:, None, :, None], ~token_mask[None, :, None, :]
    # max gives its gradient to one position and remembers only that; amax would keep all it saw
    of_tokens = cosine.masked_fill(no_patch, -torch.inf).max(dim=2).values
    of_patches = cosine.masked_fill(no_token, -torch.inf).max(dim=3).values
    token_mean = _masked_mean(of_tokens, token_mask[None, :, :])
    patch_mean = _masked_mean(of_patches, patch_mask[:, None, :])
    return (token_mean + patch_mean) / 2


def _masked_mean(
    values: Float[Tensor, "study gallery item"], mask: Bool[Tensor, "_ _ item"]
) -> Float[Tensor, "study gallery"]:
    """Average over the items that are there."""
    return values.masked_fill(~mask, 0.0).sum(-1) / mask.sum(-1)


def _refuse_empty(name: str, mask: Bool[Tensor, "study item"]) -> None:
    """Stop where a row has nothing to match; a GPU stops when it comes to it, and nobody waits."""
    message = f"{name}: a row of the batch has nothing present; drop it"
    torch._assert_async(mask.any(dim=1).all(), message)
