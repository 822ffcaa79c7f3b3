"""What the sigmoid loss costs, against closed forms, loops and open_clip."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses import CONTRASTIVE
from cinelex.losses.sigmoid import SigLIP

ALONE = torch.arange(6)


def unit_rows(rows: int = 6, dim: int = 8, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, dim, generator=random, dtype=torch.float64), dim=1)


@pytest.mark.filterwarnings("ignore")
def test_without_duplicates_it_is_open_clips_loss_in_value_and_gradient() -> None:
    from open_clip.loss import SigLipLoss

    results = []
    for ours in (True, False):
        study, report = unit_rows(seed=1).requires_grad_(), unit_rows(seed=2).requires_grad_()
        temperature = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
        bias = torch.tensor(-1.5, dtype=torch.float64, requires_grad=True)
        if ours:
            loss = SigLIP()(
                study,
                report,
                temperature=temperature,
                bias=bias,
                report_group=ALONE,
                patient_group=ALONE,
            )
        else:
            loss = SigLipLoss()(study, report, 1 / temperature, bias)
        results.append((loss, *torch.autograd.grad(loss, (study, report, temperature, bias))))
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize(
    ("bias", "start"),
    [(-math.log(5), math.log(6) + 5 * math.log(6 / 5)), (0.0, 6 * math.log(2))],
)
def test_similarities_of_zero_cost_the_closed_form(bias: float, start: float) -> None:
    eye = torch.eye(12)
    loss = SigLIP()(
        eye[:6],
        eye[6:],
        temperature=torch.tensor(0.1),
        bias=torch.tensor(bias),
        report_group=ALONE,
        patient_group=ALONE,
    )
    torch.testing.assert_close(loss, torch.tensor(start))


def test_duplicates_are_yes_and_pairs_of_one_patient_are_not_asked() -> None:
    report, patient = [0, 1, 0, 2, 3, 0], [7, 7, 7, 8, 9, 9]
    study, text = unit_rows(seed=3), unit_rows(seed=4)
    expected = 0.0
    for i in range(6):
        for j in range(6):
            logit = (study[i] @ text[j]).item() / 0.2 - 0.7
            if report[i] == report[j]:
                expected += math.log(1 + math.exp(-logit)) / 6
            elif patient[i] != patient[j]:
                expected += math.log(1 + math.exp(logit)) / 6
    loss = SigLIP()(
        study,
        text,
        temperature=torch.tensor(0.2, dtype=torch.float64),
        bias=torch.tensor(-0.7, dtype=torch.float64),
        report_group=torch.tensor(report),
        patient_group=torch.tensor(patient),
    )
    assert loss.item() == pytest.approx(expected)


def test_bfloat16_rows_at_a_low_temperature_give_a_finite_float32_loss() -> None:
    rows = unit_rows(seed=7).to(torch.bfloat16).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss = SigLIP()(
            rows,
            unit_rows(seed=8).to(torch.bfloat16),
            temperature=torch.tensor(0.01),
            bias=torch.tensor(-10.0),
            report_group=ALONE,
            patient_group=ALONE,
        )
    (gradient,) = torch.autograd.grad(loss, rows)
    assert loss.dtype == torch.float32
    assert gradient.isfinite().all()


def test_the_table_lists_both_contrastive_losses() -> None:
    assert {name: loss().__class__.__name__ for name, loss in CONTRASTIVE.items()} == {
        "infonce": "InfoNCE",
        "siglip": "SigLIP",
    }
