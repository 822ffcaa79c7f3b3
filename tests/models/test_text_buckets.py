"""Reports that are read in groups, each as wide as its longest."""

import pytest
import torch
from torch import Tensor

from cinelex.losses.captioning import Captioning
from cinelex.models.caption_decoder import HELD_VOCAB
from cinelex.models.study_model import Kept
from tests.models.test_video_text import inputs, model


@pytest.mark.parametrize("held", [HELD_VOCAB, 1])
def test_reports_in_groups_are_those_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr("cinelex.models.caption_decoder.HELD_VOCAB", held)
    whole, pad_id = model(), 0
    clips, owner, token_ids, _ = inputs()
    there = torch.arange(7) < torch.tensor([[3], [5], [7]])
    given = clips, owner, token_ids.where(there, pad_id), there
    loss, found = Captioning(pad_id=pad_id), list[list[Tensor]]()
    for buckets in ((), ((2, 5), (1, 7))):
        out = whole(*given, kept=Kept(buckets=buckets))
        assert out.token_features is not None
        told = loss.of(out.caption_logits, out.caption_costs, given[2])
        values = [out.report, out.token_features[there], told]
        sum(value.square().sum() for value in values).backward()
        found.append([*values, *(p.grad for p in whole.parameters() if p.grad is not None)])
        whole.zero_grad()
    torch.testing.assert_close(*found)
