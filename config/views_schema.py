"""The section of a config that says what a model is told of views."""

from cinelex.config.strict import CountOrZero, Strict


class ViewsConfig(Strict):
    """What is known of how a clip was filmed, and given to its tokens."""

    count: CountOrZero = 0
    """Views that have a vector of their own, at least as many as the training videos name; an
    unknown view adds nothing. 0 tells the model of no view."""
    angles: bool = False
    """Whether primary and secondary angle are given too; an unknown angle adds nothing."""
