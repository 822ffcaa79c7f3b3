"""Clips cut into cubes and put back together."""

import pytest
import torch

from core.cubes import cut_into_cubes, join_cubes, take_tokens


def test_tokens_run_through_columns_first_then_rows_then_frames() -> None:
    clips = torch.arange(2 * 4 * 6.0).reshape(1, 1, 2, 4, 6)
    cubes = cut_into_cubes(clips, cube=(1, 2, 3))
    assert cubes.shape == (1, 2 * 2 * 2, 6)
    assert cubes[0, 0].tolist() == [0, 1, 2, 6, 7, 8]
    assert cubes[0, 1].tolist() == [3, 4, 5, 9, 10, 11]
    assert cubes[0, 2].tolist() == [12, 13, 14, 18, 19, 20]
    assert cubes[0, 4].tolist() == [24, 25, 26, 30, 31, 32]


def test_cubes_join_to_the_clip_they_were_cut_from() -> None:
    clips = torch.randn(2, 3, 4, 6, 8, generator=torch.Generator().manual_seed(0))
    cubes = cut_into_cubes(clips, cube=(2, 3, 4))
    assert torch.equal(join_cubes(cubes, cube=(2, 3, 4), grid=(2, 2, 2)), clips)


def test_a_clip_that_leaves_a_rest_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 4, 7\) .* cubes \(1, 2, 3\)"):
        cut_into_cubes(torch.zeros(1, 1, 2, 4, 7), cube=(1, 2, 3))


def test_each_clip_takes_its_own_tokens_in_the_order_asked() -> None:
    tokens = torch.arange(2 * 4 * 1.0).reshape(2, 4, 1)
    taken = take_tokens(tokens, torch.tensor([[3, 0], [1, 2]]))
    assert taken[:, :, 0].tolist() == [[3, 0], [5, 6]]
