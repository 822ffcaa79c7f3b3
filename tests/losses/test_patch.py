"""How tokens and words find one another."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses.patch import PatchContrastive, late_interaction


def features(rows: int, items: int, seed: int, dim: int = 5) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    rows_of = torch.randn(rows, items, dim, generator=random, dtype=torch.float64)
    return F.normalize(rows_of, dim=2)


def attention_mask(lengths: list[int], items: int) -> Tensor:
    return torch.arange(items) < torch.tensor(lengths)[:, None]


def similarity_by_hand(patches: Tensor, token_ids: Tensor) -> float:
    """Compare the tokens and words of one pair, all present, with loops."""
    cosine = (patches @ token_ids.T).tolist()
    columns = list(zip(*cosine, strict=True))
    of_tokens = sum(max(row) for row in cosine) / len(cosine)
    of_words = sum(max(column) for column in columns) / len(columns)
    return (of_tokens + of_words) / 2


def test_similarity_agrees_with_loops_over_what_is_present() -> None:
    patches, token_ids = features(3, 4, seed=0), features(2, 6, seed=1)
    tokens_of, words_of = [4, 2, 1], [6, 3]
    expected = [
        [
            similarity_by_hand(patches[i, :tokens], token_ids[j, :length])
            for j, length in enumerate(words_of)
        ]
        for i, tokens in enumerate(tokens_of)
    ]
    similarity = late_interaction(
        patches,
        attention_mask(tokens_of, 4),
        token_ids,
        attention_mask(words_of, 6),
        pairs_at_once=10**6,
    )
    torch.testing.assert_close(similarity, torch.tensor(expected, dtype=torch.float64))


def test_working_in_small_blocks_changes_nothing() -> None:
    patches, token_ids = features(3, 4, seed=0), features(5, 6, seed=1)
    there = (attention_mask([4, 2, 1], 4), attention_mask([6, 3, 1, 5, 2], 6))
    blocks = [
        late_interaction(patches, there[0], token_ids, there[1], pairs_at_once=pairs)
        for pairs in (1, 150, 10**6)
    ]
    torch.testing.assert_close(blocks[0], blocks[2], rtol=0, atol=1e-15)
    torch.testing.assert_close(blocks[1], blocks[2], rtol=0, atol=1e-15)


def test_one_token_and_one_word_make_it_plain_infonce() -> None:
    eye = torch.eye(3)[:, None, :]
    there = torch.ones(3, 1, dtype=torch.bool)
    loss = PatchContrastive()(
        eye,
        there,
        eye,
        there,
        temperature=torch.tensor(0.5),
        report_group=torch.arange(3),
        patient_group=torch.arange(3),
    )
    torch.testing.assert_close(loss, torch.tensor(math.log(1 + 2 * math.exp(-2))))


def test_padding_gets_no_gradient_and_changes_nothing() -> None:
    patches, token_ids = features(3, 4, seed=2), features(3, 6, seed=3)
    tokens_there, words_there = attention_mask([4, 2, 1], 4), attention_mask([6, 3, 2], 6)
    values = []
    for filler in (0.0, 9.0):
        tokens = patches.masked_fill(~tokens_there[:, :, None], filler).requires_grad_()
        text = token_ids.masked_fill(~words_there[:, :, None], filler).requires_grad_()
        loss = PatchContrastive()(
            tokens,
            tokens_there,
            text,
            words_there,
            temperature=torch.tensor(0.01),
            report_group=torch.tensor([0, 1, 0]),
            patient_group=torch.arange(3),
        )
        of_tokens, of_text = torch.autograd.grad(loss, (tokens, text))
        assert of_tokens.isfinite().all()
        assert of_text.isfinite().all()
        assert of_tokens[~tokens_there].eq(0).all()
        assert of_text[~words_there].eq(0).all()
        assert of_tokens[tokens_there].ne(0).any()
        values.append(loss.detach())
    torch.testing.assert_close(values[0], values[1])


def test_a_study_without_a_token_is_refused() -> None:
    patches, token_ids = features(3, 4, seed=2), features(3, 6, seed=3)
    with pytest.raises(RuntimeError, match="patch_mask: a row of the batch has nothing present"):
        PatchContrastive()(
            patches,
            attention_mask([4, 0, 1], 4),
            token_ids,
            attention_mask([6, 3, 2], 6),
            temperature=torch.tensor(0.1),
            report_group=torch.arange(3),
            patient_group=torch.arange(3),
        )


def test_backward_keeps_places_of_maxima_and_not_the_similarities() -> None:
    patches, token_ids = features(4, 60, seed=4), features(8, 50, seed=5)
    patches.requires_grad_()
    there = (attention_mask([60, 50, 40, 60], 60), attention_mask([50, 9, 20, 50, 31, 3, 2, 1], 50))
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        late_interaction(patches, there[0], token_ids, there[1], pairs_at_once=4 * 60 * 50)
    similarities = patches.element_size() * 4 * 60 * 8 * 50
    assert sum(kept.values()) < similarities / 4


def test_bfloat16_features_at_a_low_temperature_give_a_finite_float32_loss() -> None:
    patches = features(3, 4, seed=2).to(torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = PatchContrastive()(
            patches,
            attention_mask([4, 2, 1], 4),
            features(3, 6, seed=3).to(torch.bfloat16),
            attention_mask([6, 3, 2], 6),
            temperature=torch.tensor(0.01),
            report_group=torch.arange(3),
            patient_group=torch.arange(3),
        )
    (gradient,) = torch.autograd.grad(loss, patches)
    assert loss.dtype == torch.float32
    assert gradient.isfinite().all()
