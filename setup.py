"""Install Cinelex: one package, whose rooms are linked into the folder ``cinelex``."""

from pathlib import Path

from setuptools import find_packages, setup

# Git on Windows, and some that unpack archives, write the target of a link into a file.
for path in Path("cinelex").iterdir():
    if path.is_file() and path.suffix != ".py":
        raise SystemExit(
            f"error: {path.as_posix()} is no link to a folder; "
            "clone again with git clone -c core.symlinks=true"
        )

setup(
    packages=find_packages(include=["cinelex", "cinelex.*"]),
    package_data={
        "cinelex.config": ["**/*.yaml", "*.json"],
        "cinelex.metrics": ["**/*.yaml"],
        "cinelex.doctor": ["**/*.jinja", "**/*.yaml"],
        "cinelex.data": ["**/*.jinja", "**/*.yaml"],
        "cinelex.library": ["page/*"],
        "cinelex.sweeps": ["*.jinja"],
    },
)
