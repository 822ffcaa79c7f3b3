"""The teacher of latents: averages by hand, tokens of variance 1, and no gradient."""

import pytest
import torch
from torch import nn

from cinelex.models.latent_teacher import LATENT_TEACHER, LatentTeacher, follow, taught
from cinelex.models.masked_decoder import TransformerMaskedDecoder
from cinelex.models.video_vit import VideoViT

CLIPS = torch.rand(3, 1, 2, 8, 8, generator=torch.Generator().manual_seed(0))


def student() -> VideoViT:
    torch.manual_seed(0)
    return VideoViT(width=12, frames=2, size=8, channels=1, tubelet=(2, 4, 4), depth=1, heads=3)


def test_after_k_steps_a_weight_is_the_sum_by_hand() -> None:
    teacher, moving = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(teacher.weight, 1.0)
    for step, momentum in enumerate((0.5, 0.9, 1.0)):
        nn.init.constant_(moving.weight, 10.0 * (step + 1))
        follow(teacher, moving, momentum=momentum)
    # 1 -> 0.5 + 5 = 5.5 -> 4.95 + 2 = 6.95 -> 6.95
    assert teacher.weight.item() == pytest.approx(6.95)


def test_a_teacher_without_memory_is_its_student_to_the_last_bit() -> None:
    encoder = student()
    teacher = LatentTeacher(encoder)
    for weight in encoder.parameters():
        nn.init.normal_(weight)
    follow(teacher.encoder, encoder, momentum=0.0)
    assert teacher.distance(encoder).item() == 0
    assert all(map(torch.equal, teacher.encoder.parameters(), encoder.parameters()))


def test_the_distance_is_a_share_of_the_teachers_length() -> None:
    encoder = student()
    teacher = LatentTeacher(encoder)
    with torch.no_grad():
        for weight in encoder.parameters():
            weight.mul_(1.25)
    assert teacher.distance(encoder).item() == pytest.approx(0.25)


def test_tokens_have_mean_0_and_variance_1_and_no_gradient() -> None:
    teacher = LatentTeacher(student())
    tokens = teacher(CLIPS)
    assert tokens.shape == (3, 4, 12)
    assert not tokens.requires_grad
    torch.testing.assert_close(tokens.mean(-1), torch.zeros(3, 4), atol=1e-5, rtol=0)
    torch.testing.assert_close(tokens.var(-1, correction=0), torch.ones(3, 4), atol=1e-3, rtol=0)


def test_a_teacher_never_trains() -> None:
    travelling = nn.ModuleDict({LATENT_TEACHER: LatentTeacher(student())})
    travelling.train()
    assert not any(part.training for part in travelling[LATENT_TEACHER].modules())
    assert not any(weight.requires_grad for weight in travelling.parameters())


def test_the_masked_clips_are_seen_whole() -> None:
    companions = nn.ModuleDict({LATENT_TEACHER: LatentTeacher(student())})
    found = taught(companions, CLIPS, torch.tensor([2]))
    assert found is not None
    torch.testing.assert_close(found[0], companions[LATENT_TEACHER](CLIPS)[2])
    assert taught(nn.ModuleDict(), CLIPS, None) is None


def test_visible_tokens_are_predicted_in_front_of_the_hidden_ones() -> None:
    keep, hide = torch.tensor([[0, 3]]), torch.tensor([[1, 2]])
    found = {}
    for visible in (False, True):
        torch.manual_seed(0)
        decoder = TransformerMaskedDecoder(
            memory_width=12, output=12, grid=(1, 2, 2), width=12, visible=visible
        )
        found[visible] = decoder(torch.ones(1, 2, 12), keep, hide)
    assert found[True].shape == (1, 4, 12)
    torch.testing.assert_close(found[True][:, 2:], found[False])
