"""Install Cinelex: its top-level folders are its packages."""

from setuptools import find_packages, setup

setup(
    packages=find_packages(exclude=["tests", "tests.*", "benchmarks", "benchmarks.*"]),
    package_data={
        "config": ["**/*.yaml", "*.json"],
        "doctor": ["**/*.jinja"],
        "sweeps": ["*.jinja"],
    },
)
