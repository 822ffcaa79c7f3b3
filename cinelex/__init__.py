"""Use a trained run without training anything: load it, then encode, caption and search.

from cinelex import load

run = load("runs/multitask")
study = run.encode(["a.mp4", "b.mp4"])
run.caption(["a.mp4", "b.mp4"])
run.search(["a.mp4", "b.mp4"], reports, count=3)
"""

from cinelex.trained import Match, TrainedRun, load

__all__ = ["Match", "TrainedRun", "load"]
