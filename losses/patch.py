"""Patch-level contrastive loss: the words of a report must find their places in the videos."""

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

    With a_ijkl the cosine of token k of study i and word l of report j, padding left out:

        s_ij = 1/2 (mean over words l of max over tokens k of a_ijkl
                    + mean over tokens k of max over words l of a_ijkl)
        loss = InfoNCE of s / temperature

    Unlike the paper, which gives each direction its own half of s, both directions share s, so that
    one matrix ranks studies and reports. Chance is that of `InfoNCE`: ln(global batch) without
    repeated patients.

    Source: Yao et al. 2021, FILIP, arXiv:2111.07783, equations 3 to 6.
    """

    form: Form = "out"
    """What to do with several positives; see `InfoNCE`."""
    pairs_at_once: int = 2**24
    """How many pairs of a token and a word are in memory at a time; changes no value."""

    def __call__(
        self,
        patches: Float[Tensor, "study token dim"],
        patch_mask: Bool[Tensor, "study token"],
        token_ids: Float[Tensor, "study word dim"],
        token_mask: Bool[Tensor, "study word"],
        *,
        temperature: Float[Tensor, ""],
        report_group: Int[Tensor, " study"],
        patient_group: Int[Tensor, " study"],
    ) -> Float[Tensor, ""]:
        """Score everyone's patches against everyone's words; every rank gets the same value.

        Args:
            patches: Unit features of the tokens of this rank's studies.
            patch_mask: False where a token is padding.
            token_ids: Unit features of this rank's reports; ranks may differ in length.
            token_mask: False where a word is padding.
            temperature: Divides the similarities; positive.
            report_group: Equal numbers mean equal report texts, on whatever rank they are.
            patient_group: Equal numbers mean the same patient, on whatever rank they are.

        Raises:
            RuntimeError: A study has no token, or a report no word.
        """
        _refuse_empty("patch_mask", patch_mask)
        _refuse_empty("token_mask", token_mask)
        counts = row_counts(patches)
        missing = max_over_ranks(token_ids.shape[1]) - token_ids.shape[1]
        similarity = late_interaction(
            patches,
            patch_mask,
            gather_rows(F.pad(token_ids, (0, 0, 0, missing)), counts=counts),
            gather_rows(F.pad(token_mask, (0, missing)), counts=counts),
            pairs_at_once=self.pairs_at_once,
        )
        logits = gather_rows(similarity, counts=counts) / temperature.to(similarity.dtype)
        pairs = Pairs.of(
            gather_rows(report_group, counts=counts), gather_rows(patient_group, counts=counts)
        )
        return info_nce_from_logits(logits, pairs, form=self.form)


def late_interaction(
    patches: Float[Tensor, "study token dim"],
    patch_mask: Bool[Tensor, "study token"],
    token_ids: Float[Tensor, "gallery word dim"],
    token_mask: Bool[Tensor, "gallery word"],
    *,
    pairs_at_once: int,
) -> Float[Tensor, "study gallery"]:
    """Return how well the tokens of each study and the words of each report find one another.

    In float32 or better, and in [-1, 1] for unit features. Backward keeps the places of the maxima,
    not the token-word similarities, so memory stays at ``pairs_at_once``.
    """
    precision = torch.promote_types(patches.dtype, torch.float32)
    patches, token_ids = patches.to(precision), token_ids.to(precision)
    reports = max(1, pairs_at_once // max(1, patch_mask.numel() * token_ids.shape[1]))
    with torch.autocast(patches.device.type, enabled=False):
        blocks = [
            _block(patches, patch_mask, some_words, some_present)
            for some_words, some_present in zip(
                token_ids.split(reports), token_mask.split(reports), strict=True
            )
        ]
    return torch.cat(blocks, dim=1)


def _block(
    patches: Float[Tensor, "study token dim"],
    patch_mask: Bool[Tensor, "study token"],
    token_ids: Float[Tensor, "gallery word dim"],
    token_mask: Bool[Tensor, "gallery word"],
) -> Float[Tensor, "study gallery"]:
    """Compare all tokens with the words of some reports, all at once."""
    cosine = torch.einsum("skd,gld->sgkl", patches, token_ids)
    no_token, no_word = ~patch_mask[:, None, :, None], ~token_mask[None, :, None, :]
    # max gives its gradient to one place and remembers only that; amax would keep the whole input
    of_words = cosine.masked_fill(no_token, -torch.inf).max(dim=2).values
    of_tokens = cosine.masked_fill(no_word, -torch.inf).max(dim=3).values
    word_mean = _mean_of_present(of_words, token_mask[None, :, :])
    token_mean = _mean_of_present(of_tokens, patch_mask[:, None, :])
    return (word_mean + token_mean) / 2


def _mean_of_present(
    values: Float[Tensor, "study gallery item"], attention_mask: Bool[Tensor, "_ _ item"]
) -> Float[Tensor, "study gallery"]:
    """Average over the items that are there."""
    return values.masked_fill(~attention_mask, 0.0).sum(-1) / attention_mask.sum(-1)


def _refuse_empty(name: str, attention_mask: Bool[Tensor, "study item"]) -> None:
    """Stop where a row has nothing to match; a GPU stops when it comes to it, and nobody waits."""
    message = f"{name}: a row of the batch has nothing present; drop it"
    torch._assert_async(attention_mask.any(dim=1).all(), message)
