"""A closed form beside held-out studies: solved without them, and never outvoted to their loss."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from cinelex.data.studies.manifest import load_manifest
from cinelex.data.studies.splits import hold_out
from cinelex.models.closed_form import ClosedForm, Solution
from cinelex.models.study_model import NOTHING, EncodedStudies, Kept, StudyModel
from cinelex.projects.studies.trial import MRR, Trial


class Model(StudyModel):
    """Stands in for a trained model: what it says of four studies, and its closed form."""

    def __init__(self, own: Tensor, *, share: float | None) -> None:
        super().__init__()
        self.own = own
        self.closed_form = self.form = ClosedForm(dim=4, share=share, clips=1, pixels=4)
        self.form.set(torch.eye(4), torch.zeros(4))

    def encode_clips(self, clips: Tensor, kept: Kept = NOTHING) -> Tensor:
        return clips

    def join_clips(
        self, features: Tensor, owner: Tensor, *, studies: int, max_clips: int | None = None
    ) -> EncodedStudies:
        raise NotImplementedError

    def rows(self) -> Tensor:
        return self.form(self.own, torch.eye(4))


def own_first(rows: Tensor) -> float:
    """Return the share of studies that are nearest to their own axis."""
    return float((rows.argmax(dim=1) == torch.arange(4)).float().mean())


def choose(model: Model) -> dict[str, float]:
    trial = Trial(model.form, None)
    return dict(trial.choose(model, model.rows, own_first))


def test_towers_that_are_wrong_leave_the_closed_form_alone() -> None:
    model = Model(torch.eye(4).roll(1, 0), share=None)
    found = choose(model)
    assert found == {"closed_form/share": 1.0, MRR: 1.0, f"{MRR}/closed_form": 1.0}
    torch.testing.assert_close(model.rows(), torch.eye(4))


def test_towers_that_are_right_where_it_is_wrong_are_heard() -> None:
    model = Model(torch.eye(4), share=None)
    model.form.set(torch.eye(4).roll(1, 0) * 0.5, torch.zeros(4))
    found = choose(model)
    assert found["closed_form/share"] < 0.5
    assert found[MRR] == 1.0 > found[f"{MRR}/closed_form"]
    assert own_first(model.rows()) == 1.0


def test_a_share_that_is_given_stays() -> None:
    model = Model(F.normalize(torch.ones(4, 4), dim=1), share=0.5)
    assert choose(model)["closed_form/share"] == 0.5
    assert "share" not in model.form.state_dict()


def test_a_chosen_share_travels_with_the_weights() -> None:
    model, other = (Model(torch.eye(4).roll(1, 0), share=None) for _ in range(2))
    choose(model)
    other.form.load_state_dict(model.form.state_dict())
    assert float(other.form.share) == 1.0


def test_held_out_studies_meet_a_solution_that_has_not_seen_them() -> None:
    model = Model(torch.zeros(4, 4), share=1.0)
    trial = Trial(model.form, Solution(torch.eye(4).roll(1, 0), torch.zeros(4)))
    with trial.of(model):
        assert own_first(model.rows()) == 0.0
    assert own_first(model.rows()) == 1.0


def test_a_share_of_one_splits_patients_is_held_out_whole(tmp_path: Path) -> None:
    splits = ["train"] * 40 + ["test"] * 20
    rows = [f"s{n},{n}.mp4,report {n},{split},p{n // 2}" for n, split in enumerate(splits)]
    table = tmp_path / "studies.csv"
    table.write_text("\n".join(["study_id,video_path,report,split,patient_id", *rows]))
    studies = load_manifest(table).studies
    found = hold_out(studies, split="train", share=0.15, name="val")
    assert found.splits() == {"train": 34, "val": 6, "test": 20}
    patients = {
        split: set(found.of_split(split).table["patient"].to_pylist()) for split in found.splits()
    }
    assert len(patients["val"]) == 3
    assert not patients["val"] & (patients["train"] | patients["test"])
    assert len(found.of_split("train", "val")) == 40
