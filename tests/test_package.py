"""One package, however it is installed, beside whatever files its user has."""

import os
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ROOMS = sorted(path.name for path in (ROOT / "cinelex").iterdir() if path.is_symlink())
METADATA = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
NOT_PACKAGED = {".sh", ".sbatch"}
"""Starters of a clone; an installed package is started by its command."""
USERS_FILES = ("config.py", "data.py", "models/__init__.py")
USE = """
import sys
from importlib.resources import files
from importlib.util import find_spec
import cinelex.data.eq.parameters
from cinelex.config.load import load_config

load_config(files("cinelex.config") / "clip" / "multitask_config.yaml")
assert not {"config", "data", "models"} & sys.modules.keys(), "it took the user's files for its own"
import config, data, models

assert config.users and data.users and models.users
print(find_spec("losses") is not None, cinelex.__file__)
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone, without what only tests and readers need."""
    folder: Path = tmp_path_factory.mktemp("clone")
    for name in ("cinelex", *ROOMS):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=ignored)
    for name in METADATA:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", clone, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An interpreter that has the dependencies, and not this package."""
    venv.create(tmp_path / "venv", symlinks=True)
    (packages,) = (tmp_path / "venv").rglob("site-packages")
    # .pth files in these folders, such as that of an editable install, are not read
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return tmp_path / "venv" / "bin" / "python"


def build(kind: str, project: Path, out: Path) -> Path:
    """Build a wheel or an sdist of a project, and return its path."""
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    run(Path(sys.executable), "-c", code, folder=project)
    (built,) = out.iterdir()
    return built


def run(python: Path, *arguments: str, folder: Path, path: str = "") -> str:
    """Run an interpreter in a folder, with ``path`` as PYTHONPATH; it must succeed."""
    ended = subprocess.run(
        [str(python), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def install(python: Path, *what: str, folder: Path) -> None:
    options = ("--quiet", "--offline", "--no-deps", "--no-build-isolation", "--python", str(python))
    run(Path(sys.executable), "-m", "uv", "pip", "install", *options, *what, folder=folder)


def use(python: Path, folder: Path, *, path: str = "") -> tuple[bool, Path]:
    """Use the package where its user has files named like its rooms.

    Returns:
        Whether ``import losses`` would find something, and the folder of ``cinelex``.
    """
    work = folder / "work"
    for name in USERS_FILES:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("users = True\n")
    rooms_are_visible, file = run(python, "-c", USE, folder=work, path=path).split()
    return rooms_are_visible == "True", Path(file).parent


def test_the_wheel_holds_the_package_with_its_data_and_nothing_else(
    wheel: Path, clone: Path
) -> None:
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
    assert {name.split("/")[0] for name in names} == {"cinelex", "cinelex-0.1.0.dist-info"}
    packaged = {
        path.relative_to(clone / "cinelex").as_posix()
        for room in ("", *ROOMS, "trained")
        for path in (clone / "cinelex" / room).glob("**/*" if room else "*.py")
        if path.is_file() and path.suffix not in NOT_PACKAGED
    }
    assert {name.removeprefix("cinelex/") for name in names if "dist-info" not in name} == packaged


def test_an_sdist_holds_the_same_package_as_files(wheel: Path, clone: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", clone, tmp_path)) as content:
        files = {member.name.partition("/")[2] for member in content if member.isfile()}
    with zipfile.ZipFile(wheel) as content:
        packaged = {name for name in content.namelist() if name.startswith("cinelex/")}
    assert {name for name in files if name.startswith("cinelex/")} == packaged
    assert {*METADATA} <= files


def test_an_installed_wheel_works_beside_a_users_files(
    wheel: Path, python: Path, tmp_path: Path
) -> None:
    install(python, str(wheel), folder=tmp_path)
    rooms_are_visible, package = use(python, tmp_path)
    assert not rooms_are_visible
    assert package.parent.name == "site-packages"
    assert package.is_relative_to(tmp_path)


def test_an_editable_install_works_beside_a_users_files(
    clone: Path, python: Path, tmp_path: Path
) -> None:
    install(python, "--editable", str(clone), folder=tmp_path)
    rooms_are_visible, package = use(python, tmp_path)
    assert not rooms_are_visible
    assert package == clone / "cinelex"


def test_a_clone_works_beside_a_users_files(clone: Path, python: Path, tmp_path: Path) -> None:
    _, package = use(python, tmp_path, path=str(clone))
    assert package == clone / "cinelex"


def test_links_that_a_checkout_made_text_are_named(clone: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(clone, checkout, symlinks=True)
    (checkout / "cinelex" / "config").unlink()
    (checkout / "cinelex" / "config").write_text("../config")
    with pytest.raises(AssertionError, match="cinelex/config is no link.*core.symlinks"):
        build("wheel", checkout, tmp_path)
