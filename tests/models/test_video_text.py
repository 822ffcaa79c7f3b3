"""The whole model: what the losses get, and what must not leak or be left out."""

import copy
import math
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from cinelex.models.aggregators import AttentionPoolingAggregator, MeanAggregator
from cinelex.models.caption_decoder import TransformerCaptionDecoder
from cinelex.models.masked_decoder import TransformerMaskedDecoder
from cinelex.models.masking import tube_mask
from cinelex.models.temperature import Temperature
from cinelex.models.text_transformer import TextTransformer
from cinelex.models.video_text import VideoText
from cinelex.models.video_text_outputs import VideoTextOutputs
from cinelex.models.video_vit import VideoViT

OWNER = torch.tensor([0, 0, 0, 1, 2, 2])
PIXELS = 2 * 4 * 4 * 3


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


def encoder() -> VideoViT:
    return VideoViT(width=24, frames=4, size=8, channels=3, depth=1, heads=2, tubelet=(2, 4, 4))


def model(
    *, everything: bool = True, tokens: bool = False, study_in_memory: bool = False
) -> VideoText:
    return VideoText(
        video_encoder=encoder(),
        aggregator=AttentionPoolingAggregator(width=24, heads=2),
        text_encoder=TextTransformer(width=16, vocab=11, max_tokens=8, depth=1, heads=2),
        dim=12,
        temperature=Temperature(start=0.1, learned=True),
        caption_decoder=TransformerCaptionDecoder(
            width=16, memory_width=24, vocab=11, max_tokens=8, depth=2, heads=2
        )
        if everything
        else None,
        masked_decoder=TransformerMaskedDecoder(
            memory_width=24, output=PIXELS + 2, grid=(2, 2, 2), width=12, depth=1, heads=2
        )
        if everything
        else None,
        patch_heads=everything,
        aggregate="tokens" if tokens else "clips",
        study_in_memory=study_in_memory,
        bias=-math.log(2) if everything else None,
    )


def inputs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    token_ids = torch.randint(3, 11, (3, 7))
    attention_mask = torch.arange(7) < torch.tensor([[7], [4], [6]])
    return torch.randn(6, 3, 4, 8, 8), OWNER, token_ids, attention_mask


def masks() -> tuple[Tensor, Tensor, Tensor]:
    keep, hide = tube_mask(torch.rand(2, 4), grid=(2, 2, 2), ratio=0.5)
    return keep, hide, torch.tensor([1, 4])


def total(out: VideoTextOutputs) -> Tensor:
    parts = [out.study, out.report, out.caption_logits, out.reconstruction]
    parts += [out.patches, out.token_features]
    assert out.bias is not None
    value = out.temperature + out.bias
    for part in parts:
        assert part is not None
        value = value + (part * torch.randn_like(part)).sum()
    return value


@pytest.mark.parametrize("tokens", [False, True])
def test_every_parameter_is_used_by_one_forward(tokens: bool) -> None:
    whole = model(tokens=tokens, study_in_memory=tokens)
    total(whole(*inputs(), *masks())).backward()
    unused = [name for name, value in whole.named_parameters() if value.grad is None]
    flat = [
        name
        for name, value in whole.named_parameters()
        if value.grad is not None and not value.grad.any()
    ]
    assert (unused, flat) == ([], [])


def test_what_is_not_asked_for_is_not_built() -> None:
    whole = model(everything=False)
    out = whole(*inputs())
    assert out.caption_logits is None
    assert out.reconstruction is None
    assert out.patches is None
    assert out.patch_mask is None
    assert out.token_features is None
    assert out.bias is None
    (out.study.sum() + out.report.sum() + out.temperature).backward()
    assert all(value.grad is not None for value in whole.parameters())


def test_shapes_and_unit_rows() -> None:
    out = model(study_in_memory=True)(*inputs(), *masks())
    torch.testing.assert_close(out.study.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(out.report.norm(dim=1), torch.ones(3))
    assert out.caption_logits is not None
    assert out.caption_logits.shape == (3, 7, 11)
    assert out.reconstruction is not None
    assert out.reconstruction.shape == (2, 4, PIXELS + 2)
    assert out.patches is not None
    assert out.patches.shape == (3, 3 * 8, 12)
    assert out.patch_mask is not None
    assert out.patch_mask.sum(dim=1).tolist() == [24, 8, 16]
    assert out.temperature.item() == pytest.approx(0.1)
    assert out.bias is not None
    assert out.bias.item() == pytest.approx(-math.log(2))


def test_a_study_does_not_depend_on_the_other_studies_of_the_batch() -> None:
    whole = model(study_in_memory=True).eval()
    clips, owner, token_ids, attention_mask = inputs()
    together = whole(clips, owner, token_ids, attention_mask)
    alone = whole(clips[3:4], torch.tensor([0]), token_ids[1:2], attention_mask[1:2])
    torch.testing.assert_close(together.study[1:2], alone.study)
    torch.testing.assert_close(together.report[1:2], alone.report)
    torch.testing.assert_close(together.caption_logits[1:2], alone.caption_logits)


def test_the_order_of_the_clips_does_not_matter() -> None:
    whole = model().eval()
    clips, owner, token_ids, attention_mask = inputs()
    order = torch.tensor([5, 3, 0, 2, 4, 1])
    straight = whole(clips, owner, token_ids, attention_mask)
    shuffled = whole(clips[order], owner[order], token_ids, attention_mask)
    torch.testing.assert_close(straight.study, shuffled.study)
    torch.testing.assert_close(straight.caption_logits, shuffled.caption_logits)


def test_every_word_of_the_caption_sees_the_videos() -> None:
    whole = model().eval()
    clips, owner, token_ids, attention_mask = inputs()
    straight = whole(clips, owner, token_ids, attention_mask).caption_logits
    other = whole(clips.flip(0), owner.flip(0).flip(0), token_ids, attention_mask).caption_logits
    assert (straight - other).abs().amax(dim=-1).min() > 1e-6


def test_hidden_pixels_do_not_change_the_reconstruction() -> None:
    whole = model().eval()
    clips = torch.randn(1, 3, 4, 8, 8)
    keep = torch.tensor([[0, 1, 2, 4, 5, 6]])
    hide = torch.tensor([[3, 7]])
    loud = clips.clone()
    loud[:, :, :, 4:, 4:] = 1e6
    quiet = whole.reconstruct(clips, keep=keep, hide=hide)
    again = whole.reconstruct(loud, keep=keep, hide=hide)
    assert quiet is not None
    assert again is not None
    assert torch.equal(quiet, again)


def test_evaluation_is_what_training_computes() -> None:
    whole = model()
    clips, owner, token_ids, attention_mask = inputs()
    out = whole(clips, owner, token_ids, attention_mask)
    with torch.no_grad():
        studies = whole.encode_study(clips, owner, studies=3)
        reports = whole.encode_report(token_ids, attention_mask)
    assert torch.equal(out.study, studies.study)
    assert torch.equal(out.report, reports.report)


def test_masking_without_a_decoder_is_refused() -> None:
    with pytest.raises(ValueError, match="masked decoder"):
        model(everything=False)(*inputs(), *masks())


def test_an_encoder_that_cannot_drop_tokens_cannot_be_masked() -> None:
    blind = encoder()
    blind.drops_tokens = False
    with pytest.raises(ValueError, match="VideoViT cannot drop tokens"):
        VideoText(
            video_encoder=blind,
            aggregator=MeanAggregator(width=24),
            text_encoder=TextTransformer(width=16, vocab=11, max_tokens=8, depth=1, heads=2),
            dim=12,
            temperature=Temperature(start=0.1, learned=True),
            masked_decoder=model().masked_decoder,
        )


def test_no_dropout_anywhere() -> None:
    kinds = [part for part in model().modules() if isinstance(part, nn.Dropout) and part.p > 0]
    assert kinds == []


def test_one_wrapper_synchronizes_every_parameter(tmp_path: Path) -> None:
    place = f"file://{tmp_path / 'store'}"
    dist.init_process_group("gloo", init_method=place, rank=0, world_size=1)
    try:
        plain = model(study_in_memory=True)
        given = (*inputs(), *masks())
        wrapped = DistributedDataParallel(copy.deepcopy(plain))
        for whole in (plain, wrapped):
            torch.manual_seed(3)
            # Twice: a parameter that the first pass did not reach would stop the second.
            total(whole(*given)).backward()
            total(whole(*given)).backward()
        for one, other in zip(plain.parameters(), wrapped.parameters(), strict=True):
            torch.testing.assert_close(one.grad, other.grad)
    finally:
        dist.destroy_process_group()


def test_gradients_repeat_to_the_bit() -> None:
    whole, given, steps = model(tokens=True), (*inputs(), *masks()), []
    for _ in range(2):
        torch.manual_seed(3)
        whole.zero_grad()
        total(whole(*given)).backward()
        steps.append([parameter.grad for parameter in whole.parameters()])
    for one, other in zip(*steps, strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)


@pytest.mark.parametrize("tokens", [False, True])
def test_half_precision_stays_inside_the_encoders(tokens: bool) -> None:
    whole = model(tokens=tokens, study_in_memory=True).eval()
    given = (*inputs(), *masks())
    full = whole(*given)
    with torch.autocast("cpu", torch.bfloat16):
        half = whole(*given)
        memory = whole.encode_study(given[0], OWNER, studies=3)
        assert whole.caption_decoder is not None
        whole.caption_decoder.generate(
            memory.memory, memory.attention_mask, bos_id=1, eos_id=2, pad_id=0, max_tokens=5
        )
    assert half.study.dtype == half.report.dtype == half.temperature.dtype == torch.float32
    assert half.patches is not None
    assert half.patches.dtype == torch.float32
    torch.testing.assert_close(half.study, full.study, atol=0.05, rtol=0)
