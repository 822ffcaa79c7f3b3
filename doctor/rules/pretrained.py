"""N3, N4 and N14: is a pretrained tower given what it was trained on?"""

from collections.abc import Iterator
from functools import partial

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_OFF = 0.05
"""Deviations of its own by which a level may arrive elsewhere than in the tower's training."""


def _foreign_pixels(evidence: Evidence) -> Iterator[Measured]:
    off = evidence.diagnostics.get("towers/video/pixels_off", 0.0)
    if off > MAX_OFF:
        yield Measured(off, MAX_OFF)


def _arrived(evidence: Evidence) -> Iterator[Measured]:
    for tower in ("video", "text"):
        share = evidence.diagnostics.get(f"towers/{tower}/arrived", 1.0)
        if share < 1:
            yield Measured(share, 1.0, {"tower": tower})


def _other_grid(evidence: Evidence) -> Iterator[Measured]:
    for tower in ("video", "text"):
        for what in evidence.diagnostics.get(f"towers/{tower}/interpolated", []):
            yield Measured(1.0, 0.0, {"tower": tower, "what": what})


_rule = partial(Rule, severity="warning")
FOREIGN_PIXELS = _rule(
    id="N3",
    name="pixels that a tower was not trained on",
    statement="Pixel values reach the pretrained video encoder {value:.2f} standard deviations "
    "away from what its checkpoint was trained on.",
    formula="max over channels and over black, gray and white of |seen - trained on|",
    null="0: the tower's own mean and deviation",
    cause="The options mean and std contradict the checkpoint, or pixels are normalised twice.",
    key="model.video_encoder",
    remedy="remove mean and std, unless the weights are not those that the checkpoint describes.",
    next_measurement="The line on pixels before the first step, without the two options.",
    check=_foreign_pixels,
)
NOT_ARRIVED = Rule(
    id="N4",
    name="weights that did not stay",
    statement="Only {percent:.1f} % of the tensors that the {tower} encoder loaded from its "
    "checkpoint are unchanged; the others were initialised again.",
    formula="tensors of the pretrained part whose checksum is that of their arrival / tensors "
    "that arrived, before the first step",
    null="1: what was loaded trains on; 0 for a tower that begins from random numbers",
    cause="Weights were initialised after loading, or the module was replaced.",
    key="model.{tower}_encoder",
    remedy="initialise first and load last.",
    next_measurement="The tower's outputs beside those of the library on the same pixels.",
    check=_arrived,
)
OTHER_GRID = _rule(
    id="N14",
    name="positions of another grid",
    statement="The {tower} encoder was trained on another grid: {what}.",
    formula="the grid of the checkpoint against that of the config",
    null="the same grid",
    cause="data.size or data.frames are not those that the weights were trained with.",
    key="data.size",
    remedy="use the size and frames of the checkpoint, or train long enough for the positions "
    "to adapt.",
    next_measurement="Held-out retrieval at the checkpoint's own size.",
    check=_other_grid,
)
