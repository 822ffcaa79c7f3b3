"""Install Cinelex: one package, whose rooms are linked into the folder ``cinelex``."""

from setuptools import find_packages, setup

setup(
    packages=find_packages(include=["cinelex", "cinelex.*"]),
    package_data={
        "cinelex.config": ["**/*.yaml", "*.json"],
        "cinelex.doctor": ["**/*.jinja"],
        "cinelex.sweeps": ["*.jinja"],
    },
)
