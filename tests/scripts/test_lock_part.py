"""The part of a lock that some extras need."""

import re
from pathlib import Path

import pytest

from cinelex.scripts.lock_part import main, part_of

ROOT = Path(__file__).parents[2]
LOCK = """\
a==1 \\
    --hash=sha256:00
    # via cinelex (pyproject.toml)
b==2 ; sys_platform == 'linux' \\
    --hash=sha256:01
    # via
    #   a
    #   other
c==3 \\
    --hash=sha256:02
    # via b
d==4 \\
    --hash=sha256:03
    # via cinelex (pyproject.toml)
"""


def test_what_is_needed_by_what_is_needed_is_kept_as_it_stands() -> None:
    assert part_of(LOCK, ["a>=1"]) == LOCK[: LOCK.index("d==4")]
    assert part_of(LOCK, ["d"]) == LOCK[LOCK.index("d==4") :]


def test_a_package_with_an_entry_a_python_keeps_both() -> None:
    entries = "a==1 ; python_full_version < '3.12'\na==2 ; python_full_version >= '3.12'\n"
    assert part_of(entries, ["a"]) == entries


def test_all_is_the_whole_lock_and_the_core_trains_without_what_tests_need(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [str(ROOT / "requirements.lock"), str(ROOT / "pyproject.toml")]

    def names(*extras: str) -> set[str]:
        assert main([*files, *extras]) == 0
        said = capsys.readouterr().out
        return set(re.findall(r"^([a-z0-9._-]+)==", said, re.MULTILINE))

    whole = set(re.findall(r"^([a-z0-9._-]+)==", Path(files[0]).read_text(), re.MULTILINE))
    assert names("all") == whole
    core = names()
    assert {"torch", "transformers", "uv"} <= core
    assert not {"optuna", "wandb", "ray", "pytest", "decord", "pydicom", "mkdocs"} & core
    assert names("dicom") - core >= {"pydicom", "python-gdcm"}


def test_an_extra_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ROOT / "requirements.lock"), str(ROOT / "pyproject.toml"), "swep"]) == 2
