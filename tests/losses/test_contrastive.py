"""What InfoNCE costs, against hand values, loops and open_clip."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.losses.contrastive import (
    InfoNCE,
    info_nce_from_logits,
    similarity_matrix,
)
from cinelex.losses.pairs import Pairs

ALONE = torch.arange(6)


def unit_rows(rows: int = 6, dim: int = 8, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, dim, generator=random, dtype=torch.float64), dim=1)


def by_hand(logits: Tensor, report: list[int], patient: list[int], form: str) -> float:
    """Compute the loss with loops over single pairs."""
    total, n = 0.0, len(report)
    for matrix in (logits.tolist(), logits.T.tolist()):
        for i in range(n):
            positive = [j for j in range(n) if report[i] == report[j]]
            allowed = [j for j in range(n) if j in positive or patient[i] != patient[j]]
            everything = math.log(sum(math.exp(matrix[i][j]) for j in allowed))
            if form == "in":
                mine = math.log(sum(math.exp(matrix[i][j]) for j in positive))
            else:
                mine = sum(matrix[i][j] for j in positive) / len(positive)
            total += everything - mine
    return total / (2 * n)


def test_knowing_nothing_costs_the_log_of_the_batch() -> None:
    same = torch.ones(5, 8) / math.sqrt(8)
    groups = torch.arange(5)
    loss = InfoNCE()(
        same, same, temperature=torch.tensor(0.1), report_group=groups, patient_group=groups
    )
    torch.testing.assert_close(loss, torch.tensor(math.log(5)))


def test_two_studies_cost_the_hand_value() -> None:
    eye = torch.eye(2)
    loss = InfoNCE()(
        eye,
        eye,
        temperature=torch.tensor(0.5),
        report_group=torch.arange(2),
        patient_group=torch.arange(2),
    )
    torch.testing.assert_close(loss, torch.tensor(math.log(1 + math.exp(-2))))


def test_the_best_free_embedding_reaches_the_floor_and_not_less() -> None:
    n, temperature = 6, 10.0
    simplex = F.normalize(torch.eye(n, dtype=torch.float64) - 1 / n, dim=1)
    loss = InfoNCE()(
        simplex,
        simplex,
        temperature=torch.tensor(temperature),
        report_group=ALONE,
        patient_group=ALONE,
    )
    floor = math.log(1 + (n - 1) * math.exp(-n / ((n - 1) * temperature)))
    assert loss.item() == pytest.approx(floor)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["out", "in"])
def test_without_duplicates_it_is_open_clips_loss_in_value_and_gradient(form: str) -> None:
    from open_clip.loss import ClipLoss

    results = []
    for ours in (True, False):
        study, report = unit_rows(seed=1).requires_grad_(), unit_rows(seed=2).requires_grad_()
        temperature = torch.tensor(0.07, dtype=torch.float64, requires_grad=True)
        if ours:
            loss = InfoNCE(form="in" if form == "in" else "out")(
                study, report, temperature=temperature, report_group=ALONE, patient_group=ALONE
            )
        else:
            loss = ClipLoss()(study, report, 1 / temperature)
        results.append((loss, *torch.autograd.grad(loss, (study, report, temperature))))
    torch.testing.assert_close(results[0], results[1])


@pytest.mark.parametrize("form", ["out", "in"])
def test_duplicates_and_repeated_patients_agree_with_loops_over_pairs(form: str) -> None:
    report, patient = [0, 1, 0, 2, 3, 0], [7, 7, 7, 8, 9, 9]
    study, text = unit_rows(seed=3), unit_rows(seed=4)
    loss = InfoNCE(form="in" if form == "in" else "out")(
        study,
        text,
        temperature=torch.tensor(0.2, dtype=torch.float64),
        report_group=torch.tensor(report),
        patient_group=torch.tensor(patient),
    )
    assert loss.item() == pytest.approx(by_hand(study @ text.T / 0.2, report, patient, form))


def test_the_in_form_is_minus_the_log_of_the_positives_share() -> None:
    logits = torch.log(torch.tensor([[3.0, 1.0, 4.0], [1.0, 3.0, 4.0], [4.0, 4.0, 8.0]]))
    pairs = Pairs.of(torch.tensor([5, 5, 6]), torch.arange(3))
    share = [4 / 8, 4 / 8, 8 / 16]
    expected = -sum(math.log(part) for part in share) / 3
    loss = info_nce_from_logits(logits, pairs, form="in")
    torch.testing.assert_close(loss, torch.tensor(expected))


@pytest.mark.parametrize(("form", "floor"), [("out", math.log(2)), ("in", 0.0)])
def test_two_identical_reports_leave_only_the_floor_of_duplicates(form: str, floor: float) -> None:
    rows = torch.eye(3)[[0, 0, 1, 1]]
    loss = InfoNCE(form="in" if form == "in" else "out")(
        rows,
        rows,
        temperature=torch.tensor(0.01),
        report_group=torch.tensor([0, 0, 1, 1]),
        patient_group=torch.arange(4),
    )
    torch.testing.assert_close(loss, torch.tensor(floor))


def test_two_studies_of_one_patient_do_not_push_each_other_away() -> None:
    study = unit_rows(2, seed=5).requires_grad_()
    loss = InfoNCE()(
        study,
        unit_rows(2, seed=6),
        temperature=torch.tensor(0.1),
        report_group=torch.arange(2),
        patient_group=torch.zeros(2, dtype=torch.int64),
    )
    (gradient,) = torch.autograd.grad(loss, study)
    assert loss.item() == pytest.approx(0, abs=1e-12)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))


def test_bfloat16_rows_at_a_low_temperature_stay_near_float64_and_finite() -> None:
    study, report = unit_rows(seed=7), unit_rows(seed=8)
    gradients = []
    for dtype in (torch.float64, torch.bfloat16):
        rows = study.to(torch.bfloat16).to(dtype).requires_grad_()
        others = report.to(torch.bfloat16).to(dtype)
        with torch.autocast("cpu", torch.bfloat16):
            loss = InfoNCE()(
                rows,
                others,
                temperature=torch.tensor(0.01),
                report_group=ALONE,
                patient_group=ALONE,
            )
        assert loss.dtype in (torch.float32, torch.float64)
        (gradient,) = torch.autograd.grad(loss, rows)
        assert gradient.isfinite().all()
        gradients.append(gradient.double())
    error = (gradients[1] - gradients[0]).norm() / gradients[0].norm()
    assert error < 0.005


def test_autocast_does_not_touch_the_similarities() -> None:
    rows = unit_rows().float()
    with torch.autocast("cpu", torch.bfloat16):
        inside = similarity_matrix(rows, rows)
    torch.testing.assert_close(inside, rows @ rows.T, rtol=0, atol=0)


def test_the_order_of_the_studies_does_not_matter() -> None:
    report, patient = torch.tensor([0, 1, 0, 2, 3, 0]), torch.tensor([7, 7, 7, 8, 9, 9])
    study, text = unit_rows(seed=3), unit_rows(seed=4)
    order = torch.tensor([5, 2, 0, 1, 4, 3])
    values = [
        InfoNCE()(
            study[rows],
            text[rows],
            temperature=torch.tensor(0.2),
            report_group=report[rows],
            patient_group=patient[rows],
        )
        for rows in (ALONE, order)
    ]
    torch.testing.assert_close(values[0], values[1])


def test_label_smoothing_equals_torch_where_every_pair_is_allowed() -> None:
    study, report = unit_rows(seed=1), unit_rows(seed=2)
    loss = InfoNCE(label_smoothing=0.1)(
        study, report, temperature=torch.tensor(0.2), report_group=ALONE, patient_group=ALONE
    )
    logits = study @ report.T / 0.2
    theirs = [F.cross_entropy(table, ALONE, label_smoothing=0.1) for table in (logits, logits.T)]
    torch.testing.assert_close(loss, (theirs[0] + theirs[1]) / 2, check_dtype=False)


def test_label_smoothing_leaves_out_what_nobody_should_judge() -> None:
    study, report = unit_rows(seed=1), unit_rows(seed=2)
    patient = torch.tensor([0, 0, 1, 2, 3, 4])
    loss = InfoNCE(label_smoothing=0.3)(
        study, report, temperature=torch.tensor(0.2), report_group=ALONE, patient_group=patient
    )
    logits = (study @ report.T / 0.2).masked_fill(
        (patient[:, None] == patient) & (ALONE[:, None] != ALONE), -torch.inf
    )
    expected = 0.0
    for table in (logits, logits.T):
        for row, query in enumerate(table.log_softmax(1)):
            allowed = query[query.isfinite()]
            expected -= float(0.7 * query[row] + 0.3 * allowed.mean()) / 12
    assert float(loss) == pytest.approx(expected)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_target_without_the_own_pair_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="label_smoothing"):
        InfoNCE(label_smoothing=share)
