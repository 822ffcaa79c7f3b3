"""A study set on disk: manifest, cache, knobs, and files that ordinary decoders read."""

import csv
import functools
import json
import threading
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from jaxtyping import Float

from cinelex.data.synthetic.cines.cine import add_noise, render_cine
from cinelex.data.synthetic.cines.findings import Findings
from cinelex.data.synthetic.cines.plan import counterfactual, plan_studies
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.studies import COLUMNS, TASK, StudyPlan, Task
from cinelex.data.synthetic.cines.study_set import FORMAT, make_study_set
from cinelex.data.synthetic.cines.video import decode_grey, encode_grey
from cinelex.data.synthetic.cines.views import STANDARD_VIEWS, VIEWS
from cinelex.data.synthetic.sets import set_folder

pytestmark = pytest.mark.slow

SMALL = StudySetSettings(train_studies=4, val_studies=2, test_studies=3, frames=8)


def study_set_folder(settings: StudySetSettings, folder: Path) -> Path:
    return set_folder("synthetic", settings, folder, version=FORMAT)


def read(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="") as handle:
        return list(csv.DictReader(handle))


def decode(path: Path) -> Float[np.ndarray, "frame row column"]:
    """Read a file the way any user of PyAV would: as RGB, in 0 to 1."""
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(frames).mean(axis=3) / 255


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study_set(SMALL, tmp_path_factory.mktemp("sets"), processes=1)


def test_manifest_tells_of_every_video_what_the_plan_says(made: Path) -> None:
    rows = read(made)
    plans = plan_studies(SMALL)
    assert tuple(rows[0]) == COLUMNS
    assert [row["study_id"] for row in rows] == [p.id for p in plans for _ in p.cines]
    by_id = {plan.id: plan for plan in plans}
    for row in rows:
        plan = by_id[row["study_id"]]
        told = (row["patient_id"], row["report"], row["split"])
        assert told == (plan.patient_id, plan.report, plan.split)
        assert Findings(**json.loads(row["findings"])) == plan.findings
    files = {path.relative_to(made.parent).as_posix() for path in made.parent.glob("videos/*")}
    assert {row["video_path"] for row in rows} == files
    assert len(files) == len(rows)


def test_files_hold_h264_with_the_size_frames_and_rate_that_were_asked_for(made: Path) -> None:
    with av.open(made.parent / read(made)[0]["video_path"]) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height, stream.frames) == (64, 64, 8)
        assert stream.average_rate == 15


def test_noise_mse_is_what_a_decoder_measures_against_the_clean_rendering(made: Path) -> None:
    rows = {row["video_path"]: row for row in read(made)}
    for plan in plan_studies(SMALL)[:4]:
        for place, cine in enumerate(plan.cines):
            path = f"videos/{plan.id}-{place}.mp4"
            measured = np.square(decode(made.parent / path) - render_cine(cine, SMALL)).mean()
            assert float(rows[path]["noise_mse"]) == pytest.approx(measured, rel=0.02)


def test_set_is_made_once_and_found_by_its_settings(made: Path) -> None:
    before = made.stat().st_mtime_ns
    assert make_study_set(replace(SMALL), made.parent.parent, processes=1) == made
    assert made.stat().st_mtime_ns == before
    others = (replace(SMALL, seed=1), replace(SMALL, report_variety=0.5))
    assert made.parent not in [study_set_folder(one, made.parent.parent) for one in others]


def test_two_callers_at_once_get_one_whole_set(tmp_path: Path) -> None:
    settings = replace(SMALL, val_studies=0, test_studies=0)
    found: list[Path] = []
    callers = [
        threading.Thread(
            target=lambda: found.append(make_study_set(settings, tmp_path, processes=1))
        )
        for _ in range(2)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found[0] == found[1]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [found[0].parent.name]


def test_leftover_of_a_killed_maker_is_cleared_away(tmp_path: Path) -> None:
    settings = replace(SMALL, val_studies=0, test_studies=0, train_studies=1)
    final = study_set_folder(settings, tmp_path)
    leftover = tmp_path / f".{final.name}.partial-dead" / "videos"
    leftover.mkdir(parents=True)
    assert make_study_set(settings, tmp_path, processes=1).exists()
    assert not leftover.exists()


def test_worker_processes_write_the_same_bytes(made: Path, tmp_path: Path) -> None:
    other = make_study_set(SMALL, tmp_path, processes=2)
    assert other.read_bytes() == made.read_bytes()
    for row in read(made):
        path = row["video_path"]
        assert (other.parent / path).read_bytes() == (made.parent / path).read_bytes()


def test_corrupted_files_cannot_be_decoded_and_have_no_noise(tmp_path: Path) -> None:
    settings = StudySetSettings(
        train_studies=6, val_studies=0, test_studies=0, frames=4, corrupted_rate=1.0
    )
    manifest = make_study_set(settings, tmp_path, processes=1)
    for row in read(manifest):
        assert row["noise_mse"] == ""
        with pytest.raises(av.FFmpegError):
            decode(manifest.parent / row["video_path"])


def test_grey_levels_survive_the_file_up_to_compression() -> None:
    ramp = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (4, 64, 1))
    decoded = decode_grey(encode_grey(ramp)).astype(int)
    assert decoded.shape == ramp.shape
    assert np.abs(decoded - ramp).max() <= 8
    assert np.abs(decoded - ramp).mean() < 1.5


@functools.cache
def shares(settings: StudySetSettings) -> list[StudyPlan]:
    return plan_studies(settings)


MANY = StudySetSettings(train_studies=300, val_studies=0, test_studies=160)


def test_reports_are_unique_unless_duplicates_are_asked_for() -> None:
    unique = shares(replace(MANY, duplicate_report_rate=0.0))
    assert len({plan.report for plan in unique}) >= 0.995 * len(unique)
    doubled = [p for p in shares(replace(MANY, duplicate_report_rate=0.4)) if p.split == "train"]
    repeats = 1 - len({plan.report for plan in doubled}) / len(doubled)
    assert repeats == pytest.approx(0.4, abs=0.09)
    truth = {plan.report: plan.findings for plan in doubled}
    assert all(truth[plan.report] == plan.findings for plan in doubled)


def test_every_study_has_views_of_both_arteries_unless_some_shall_miss() -> None:
    def sides(plan: StudyPlan) -> set[str]:
        return {cine.view.side for cine in plan.cines}

    whole = shares(MANY)
    assert all(sides(plan) == {"left", "right"} for plan in whole)
    assert all(tuple(c.view for c in plan.cines[:3]) == STANDARD_VIEWS for plan in whole)
    fourth = np.mean([len(plan.cines) == 4 for plan in whole])
    assert fourth == pytest.approx(MANY.extra_view_rate, abs=0.05)
    assert {len(plan.cines) for plan in whole} == {3, 4}
    some = shares(replace(MANY, missing_view_rate=0.3))
    assert np.mean([len(sides(plan)) == 1 for plan in some]) == pytest.approx(0.3, abs=0.08)
    assert all(len({cine.view for cine in plan.cines}) == len(plan.cines) for plan in some)


def test_studies_choose_their_own_views_when_asked_to() -> None:
    own = shares(replace(MANY, random_view_rate=1.0, extra_view_rate=0.0))
    assert {cine.view for plan in own for cine in plan.cines} == {
        view for views in VIEWS.values() for view in views
    }
    assert all({cine.view.side for cine in plan.cines} == {"left", "right"} for plan in own)
    assert all(len({cine.view for cine in plan.cines}) == 3 for plan in own)


def test_patients_stay_in_their_split_unless_they_shall_leak() -> None:
    def leaked(plans: list[StudyPlan]) -> float:
        train = {plan.patient_id for plan in plans if plan.split == "train"}
        return float(np.mean([p.patient_id in train for p in plans if p.split == "test"]))

    assert leaked(shares(MANY)) == 0
    leaky = replace(MANY, patient_leak=0.5, repeat_patient_rate=0.0)
    assert leaked(shares(leaky)) == pytest.approx(0.5, abs=0.15)
    assert leaked(shares(replace(leaky, patient_leak=1.0))) == 1


def test_one_patient_has_one_anatomy() -> None:
    plans = shares(MANY)
    seeds: dict[str, set[int]] = {}
    for plan in plans:
        seeds.setdefault(plan.patient_id, set()).update(c.patient_seed for c in plan.cines)
    assert all(len(found) == 1 for found in seeds.values())
    assert len(seeds) < len(plans)


def test_label_noise_changes_reports_but_not_pixels() -> None:
    clean, noisy = shares(MANY), shares(replace(MANY, label_noise=0.3))
    changed = [a.report != b.report for a, b in zip(clean, noisy, strict=True)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.08)
    same = [a.findings == b.findings for a, b in zip(clean, noisy, strict=True)]
    assert np.mean(same) > 0.99


def test_plan_survives_its_journey_to_a_worker() -> None:
    task = Task(SMALL, Path("somewhere"), plan_studies(SMALL))
    assert TASK.validate_json(TASK.dump_json(task)) == task


def test_counterfactual_changes_one_finding_its_pixels_and_its_report() -> None:
    plan = next(p for p in shares(MANY) if p.findings.lesions.get("mid_lad") == 70)
    other = counterfactual(plan, MANY, segment="mid_lad", percent=30)
    assert other.findings == replace(
        plan.findings, lesions={**plan.findings.lesions, "mid_lad": 30}
    )
    assert "30" in other.report
    assert other.patient_id == plan.patient_id
    for old, new in zip(plan.cines, other.cines, strict=True):
        before, after = render_cine(old, MANY), render_cine(new, MANY)
        assert (np.abs(after - before).max() > 0.02) == (old.view.side == "left")
        noisy = [add_noise(c, p, MANY) for c, p in ((before, old), (after, new))]
        untouched = before == after
        np.testing.assert_array_equal(noisy[0][untouched], noisy[1][untouched])
    assert counterfactual(plan, MANY, segment="mid_lad", percent=0).findings.lesions.keys() == (
        plan.findings.lesions.keys() - {"mid_lad"}
    )
    with pytest.raises(ValueError, match="no narrowing"):
        counterfactual(plan, MANY, segment="mid_lad", percent=101)


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", 63), ("size", 16), ("frames", 3), ("train_studies", -1), ("difficulty", 1.5)],
)
def test_impossible_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field if field != "train_studies" else "numbers"):
        StudySetSettings(**{field: value})  # type: ignore[arg-type]
