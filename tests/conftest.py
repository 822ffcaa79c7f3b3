"""One tiny study set and one finished run, made once for all tests that need them."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

REAL = Path(__file__).parents[2] / "shared" / "data"

if TYPE_CHECKING:
    from tests.tiny_run import FinishedRun


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs the study set, or the run."""
    for item in items:
        if "study_cache" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def study_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tiny study set and its decoded frames are kept."""
    folder: Path = tmp_path_factory.mktemp("cache")
    return folder


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, study_cache: Path) -> "FinishedRun":
    """The shipped multitask config at tiny size, trained and evaluated."""
    # imported here, so that tests which need no run do not wait for every library
    from tests.tiny_run import FinishedRun, arguments, succeed

    folder: Path = tmp_path_factory.mktemp("runs")
    command = arguments(folder, study_cache, "name=tiny")
    return FinishedRun(folder / "tiny", command, succeed(command))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real videos, which is no part of the project."""
    if not REAL.is_dir():
        pytest.skip("the real videos of ../shared/data are not here")
    return REAL
