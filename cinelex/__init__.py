"""Use a trained run without training anything: load it, then encode, caption and search.

A study is a list of videos: files, DICOM or other, or arrays of frames. Methods take lists of them:

    import cinelex

    run = cinelex.load("runs/multitask")
    rows = run.encode_videos([["a.mp4", "b.mp4"]])
    run.caption([["a.mp4", "b.mp4"]])
    run.search([["a.mp4", "b.mp4"]], reports, count=3)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinelex.trained.found import Fact, Match
    from cinelex.trained.loading import load
    from cinelex.trained.run import TrainedRun

FROM = {"Fact": "found", "Match": "found", "TrainedRun": "run", "load": "loading"}
"""The public names, by the module that has each."""

__all__ = ["Fact", "Match", "TrainedRun", "load"]


def __getattr__(name: str) -> Any:
    """Load the models' libraries where they are used, not where a light module is imported."""
    if name not in FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"cinelex.trained.{FROM[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, which a notebook completes before they are loaded."""
    return sorted({*globals(), *__all__})
