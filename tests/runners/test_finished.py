"""A finished run is read by its own config; what a command sets beside it is refused or apart."""

from pathlib import Path

import pytest

from cinelex.config.load import dump_config, load_config
from cinelex.core.errors import UserError
from cinelex.runners.finished import Finished, RunRequest, open_finished
from tests.tiny_run import MULTITASK

TRAINED = ("temperature=0.2", "data.manifest=own.csv", "evaluation.bootstrap=7")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    config = load_config(MULTITASK, ["name=run", f"folder={tmp_path}", *TRAINED])
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text(dump_config(config))
    return tmp_path / "run"


def opened(run: Path, *overrides: str, label: str | None = None) -> Finished:
    config = load_config(MULTITASK, [f"name={run.name}", f"folder={run.parent}", *overrides])
    given = tuple(item.partition("=")[0] for item in overrides)
    return open_finished(RunRequest(config=config, given=given, label=label))


def test_what_a_command_leaves_out_is_the_runs_own(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert opened(run).config == load_config(run / "config.yaml")
    assert "ignored from the base config: data.manifest; temperature\n" in capsys.readouterr().out


def test_what_is_set_and_decides_numbers_is_refused(run: Path) -> None:
    with pytest.raises(UserError, match=r"temperature: 0\.2 -> 0\.3\).*--label"):
        opened(run, "temperature=0.3")
    with pytest.raises(UserError, match=r"video_encoder\.options\.tubelet"):
        opened(run, "model.video_encoder.options={tubelet: [2, 8, 8]}")
    assert opened(run, "temperature=0.2").config.temperature == 0.2


def test_what_may_change_is_taken_where_it_is_set(run: Path) -> None:
    assert opened(run, "evaluation.bootstrap=9").config.evaluation.bootstrap == 9
    assert opened(run, "data={inference_manifest: new.csv, manifest: own.csv}").config.data == (
        load_config(run / "config.yaml", ["data.inference_manifest=new.csv"]).data
    )
    assert opened(run).config.evaluation.bootstrap == 7


def test_a_label_has_its_results_apart(run: Path) -> None:
    found = opened(run, "temperature=0.3", label="warm")
    assert found.config.temperature == 0.3
    assert found.config.data.manifest == Path("own.csv")
    assert found.output == run / "validated" / "warm"
    assert found.differing == ("temperature: 0.2 -> 0.3",)
    assert load_config(found.output / "config.yaml") == found.config


@pytest.mark.parametrize("label", ["", "..", "a/b", "-x"])
def test_a_label_is_the_name_of_a_folder(run: Path, label: str) -> None:
    with pytest.raises(UserError, match="--label"):
        opened(run, label=label)


def test_studies_may_lie_elsewhere_but_not_be_made_up(run: Path) -> None:
    found = opened(run, "data.manifest=there.csv", "data.video_root=there").config
    assert (found.data.manifest, found.data.video_root) == (Path("there.csv"), Path("there"))
    with pytest.raises(UserError, match=r"data\.manifest: own\.csv -> None"):
        opened(run, "data.manifest=null")


def test_a_run_may_be_renamed(run: Path) -> None:
    moved = run.rename(run.with_name("moved"))
    assert opened(moved).config.name == "moved"
