"""One tiny study set and one finished run, made once for all tests that need them.

Test processes that work at once share them: whoever comes first makes them, and the others wait.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import checked_types

REAL = Path(__file__).parents[2] / "shared" / "data"

if TYPE_CHECKING:
    from tests.tiny_run import FinishedRun

checked_types.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs the study set, or the run; files with slow tests come first.

    Where several processes share the files out, short ones are then left for the end.
    """
    for item in items:
        if "study_cache" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all test processes of this session know."""
    folder: Path = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def study_cache(shared: Path) -> Path:
    """Where the tiny study set and its decoded frames are kept."""
    return shared / "cache"


@pytest.fixture(scope="session")
def finished_run(shared: Path, study_cache: Path) -> "FinishedRun":
    """The shipped multitask config at tiny size, trained and evaluated."""
    # imported here, so that tests which need no run do not wait for every library
    from cinelex.core.folders import make_once
    from tests.tiny_run import WITH_NULLS, FinishedRun, arguments, succeed

    command = arguments(shared / "runs", study_cache, "name=tiny", WITH_NULLS)

    def train(folder: Path) -> None:
        (folder / "said").write_text(succeed(command))

    said = (make_once(shared / "finished", train) / "said").read_text()
    return FinishedRun(shared / "runs" / "tiny", command, said)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real videos, which is no part of the project."""
    if not REAL.is_dir():
        pytest.skip("the real videos of ../shared/data are not here")
    return REAL
