"""A sweep's folder, and what goes on in it."""

from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.sweeps.settings import Sweep, begin, create
from tests.sweeps.quick_sweep import quick_sweep

ADDRESS = "postgresql+psycopg://me:secret@host/sweeps"


def again(sweep: Sweep, storage: str | None) -> str:
    """Go on with a sweep; return the address of its database."""
    told = (sweep.folder, sweep.plan, sweep.base, sweep.settings)
    return create(*told, storage=storage, resume=True).storage


def test_a_sweep_goes_on_in_the_database_that_it_was_begun_in(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path, storage=ADDRESS)
    begin(sweep)
    assert again(sweep, None) == ADDRESS
    changed = ADDRESS.replace("secret", "changed")
    assert again(sweep, changed) == changed
    assert again(sweep, None) == changed
    none = ADDRESS.replace(":secret", "")
    assert again(sweep, none) == none


@pytest.mark.parametrize("other", ["sqlite:///x.sqlite", ADDRESS.replace("host", "other"), "x"])
def test_another_database_is_refused_and_nothing_is_written(tmp_path: Path, other: str) -> None:
    sweep = quick_sweep(tmp_path, storage=ADDRESS)
    begin(sweep)
    with pytest.raises(UserError, match="--storage") as refused:
        again(sweep, other)
    assert "secret" not in str(refused.value)
    assert Sweep(sweep.folder).storage == ADDRESS


def test_a_new_sweep_without_an_address_is_kept_in_its_folder(tmp_path: Path) -> None:
    sweep = quick_sweep(tmp_path)
    assert again(sweep, None) == f"sqlite:///{sweep.folder}/sweep.sqlite"
