"""The section of a config that says what is kept of frozen towers."""

from typing import Literal

from cinelex.config.strict import Count, Strict


class FeaturesConfig(Strict):
    """What frozen pretrained parts make of clips and reports, kept in ``data.cache``."""

    keep: Literal["auto", "never"] = "auto"
    """``auto`` runs a frozen pretrained part once for each clip and report, where nothing random
    stands before it; ``never`` runs it in every step."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """How its numbers are written; bf16 takes half the disk and rounds to three digits."""
    clips_per_video: Count = 4
    """Different clips that training may cut from a video, on average, up to which they are kept;
    ``data.sampling.draws`` lowers them."""
