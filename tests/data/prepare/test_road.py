"""The road from end to end, over small exports."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from cinelex.core.errors import UserError
from cinelex.core.locks import sole_user
from cinelex.data.prepare import decoding, inventory, walk
from cinelex.data.prepare.journal import Journal
from cinelex.data.prepare.walk import Share
from cinelex.data.video.frame_store import FrameStore
from tests.data.prepare.exports import (
    UNSURE,
    assert_equal,
    begun_like,
    decisions,
    moving,
    run,
    small_export,
    tables,
    write_cine,
    write_decisions,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("by_hand")]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_export(tmp_path_factory.mktemp("hospital") / "export")


@pytest.fixture(scope="module")
def prepared(export: Path) -> Path:
    """A data set that was made at one go."""
    out = export.parent / "whole"
    run(export, out)
    return out


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many files are decoded at a time."""
    seen: list[int] = []
    before = decoding._batches

    def note(items: Any) -> Any:
        seen.append(len(items))
        return before(items)

    monkeypatch.setattr(decoding, "_batches", note)
    return seen


def test_every_file_has_one_decision_and_every_cine_a_row(prepared: Path) -> None:
    ledger, manifest = tables(prepared)
    assert len(ledger) == 14
    assert ledger["file"].is_unique
    assert decisions(prepared) == {"kept": 12, "dropped": 2}
    assert set(ledger.loc[ledger["decision"] == "dropped", "why"]) == {"duplicate", "not_dicom"}
    assert len(manifest) == 12
    assert manifest["study_id"].nunique() == 6
    assert manifest["patient_id"].nunique() == 3


def test_frames_and_their_times_are_those_of_the_file(export: Path, tmp_path: Path) -> None:
    write_cine(tmp_path / "export" / "a", scene=7)
    run(tmp_path / "export", tmp_path / "out")
    _, manifest = tables(tmp_path / "out")
    assert manifest["frame_times_ms"][0].tolist() == [0, 40, 80, 120, 160, 200]
    frames = FrameStore(tmp_path / "out" / "store").frames(manifest["video_path"][0][6:])
    inside = frames[..., 0].astype(int)
    whole = moving(7).astype(int)
    rows, columns = inside.shape[1:]
    fits = [
        (inside == whole[:, top : top + rows, left : left + columns]).mean()
        for top in range(whole.shape[1] - rows + 1)
        for left in range(whole.shape[2] - columns + 1)
    ]
    assert max(fits) > 0.7  # what the mask does not cover is unchanged


def test_whoever_is_ended_goes_on_to_the_same_result(
    export: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = begun_like(prepared, tmp_path / "out")
    monkeypatch.setattr(inventory, "FILES_A_BATCH", 5)
    monkeypatch.setattr(decoding, "CINES_A_BATCH", 3)
    before = Journal.append
    for patience in (1, 2, 3, 2):
        left = [patience]

        def append(self: Journal, rows: Any, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            before(self, rows)

        monkeypatch.setattr(Journal, "append", append)
        with pytest.raises(KeyboardInterrupt):
            run(export, out)
    monkeypatch.setattr(Journal, "append", before)
    run(export, out)
    assert_equal(out, prepared)


def test_parts_are_joined_by_the_next_run_without_one(
    export: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = begun_like(prepared, tmp_path / "out")
    run(export, out, share=Share(1, 3))
    run(export, out, share=Share(3, 3))
    assert not (out / "manifest.parquet").exists()
    seen = counted(monkeypatch)
    run(export, out)  # does what part 2 never did
    assert 0 < sum(seen) < 12
    assert_equal(out, prepared)


def test_of_a_grown_folder_only_the_new_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, out = small_export(tmp_path / "export", patients=2), tmp_path / "out"
    run(export, out)
    before = tables(out)[1]
    write_cine(export / "new", patient="P9", study="99", scene=99)
    seen = counted(monkeypatch)
    run(export, out)
    assert seen == [1]
    after = tables(out)[1]
    kept = after[after["study_id"].isin(before["study_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    assert len(after) == len(before) + 1


def test_a_raised_format_decodes_known_files_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, out = tmp_path / "export", tmp_path / "out"
    for scene in range(2):
        write_cine(export / str(scene), scene=scene)
    run(export, out, UNSURE)
    older = tables(out)[0]["cine"].tolist()
    write_decisions(out, "approve", older)
    monkeypatch.setattr(decoding, "FORMAT", decoding.FORMAT + 1)
    seen = counted(monkeypatch)
    run(export, out, UNSURE)
    run(export, out, UNSURE)
    assert seen == [2, 0]
    assert decisions(out) == {"pending": 2}  # what was approved was the older mask
    assert not set(tables(out)[0]["cine"]) & set(older)


def test_a_folder_that_can_be_read_again_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, out = tmp_path / "export", tmp_path / "out"
    write_cine(export / "a", scene=1)
    write_cine(export / "closed" / "b", scene=2)
    before = os.scandir

    def scandir(path: Any) -> Any:
        if Path(path).name == "closed":
            raise PermissionError
        return before(path)

    monkeypatch.setattr(walk, "os", SimpleNamespace(**{**vars(os), "scandir": scandir}))
    run(export, out)
    assert sorted(tables(out)[0]["why"]) == ["", "unreadable"]
    monkeypatch.undo()
    run(export, out)
    assert decisions(out) == {"kept": 2}


def test_the_card_says_when_all_studies_are_of_one_patient(prepared: Path, tmp_path: Path) -> None:
    for study in ("1", "2"):
        write_cine(tmp_path / "export" / study, study=study, scene=int(study))
    run(tmp_path / "export", tmp_path / "out")
    assert "same PatientID" in (tmp_path / "out" / "card.md").read_text()
    assert "same PatientID" not in (prepared / "card.md").read_text()


def test_what_stands_outside_private_names_nobody(prepared: Path, export: Path) -> None:
    secrets = [b"Zqdrovik", b"Xvanline", b"ZqP", b"QA0777", b"Zquorn", b"20180312", b"2018-03-12"]
    public = [
        path
        for path in prepared.rglob("*")
        if path.is_file() and "private" not in path.relative_to(prepared).parts
    ]
    assert {"ledger.parquet", "manifest.parquet", "card.md"} <= {path.name for path in public}
    for path in public:
        data = path.read_bytes()
        if path.suffix == ".parquet":
            data += pd.read_parquet(path).to_csv().encode()
        assert not [secret for secret in secrets if secret in data], path
    assert (prepared / "private").stat().st_mode & 0o777 == 0o700
    originals = pd.read_parquet(prepared / "private" / "originals.parquet")
    assert b"0/0.dcm" in set(originals["path"])


def test_another_process_at_the_same_data_set_is_refused(prepared: Path, export: Path) -> None:
    with sole_user(prepared / "private"), pytest.raises(UserError, match="is in use by process"):
        run(export, prepared)
