"""Use a trained run without training anything: load it, then encode, caption and search.

from cinelex import load

run = load("runs/multitask")
study = run.encode(["a.mp4", "b.mp4"])
run.caption(["a.mp4", "b.mp4"])
run.search(["a.mp4", "b.mp4"], reports, count=3)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinelex.trained import Match, TrainedRun, load

__all__ = ["Match", "TrainedRun", "load"]


def __getattr__(name: str) -> Any:
    """Load the models' libraries where they are used, not where a light module is imported."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cinelex import trained

    return getattr(trained, name)
