"""D7: does masking leave something to see and something to predict, and is it known where?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D7"
MIN_SPREAD = 1e-4
"""Deviation of the predictions over the hidden places, as a share of their size."""


def masking(evidence: Evidence) -> Iterator[Finding]:
    """Look at the numbers of tokens, and at whether two hidden places get two predictions."""
    visible = evidence.diagnostics.get("check/visible_tokens")
    hidden = evidence.diagnostics.get("check/hidden_tokens")
    for count, what in ((visible, "seen"), (hidden, "hidden")):
        if count is not None and count < 1:
            yield _finding(
                float(count),
                1.0,
                f"No token of a clip is {what}: masked modelling has nothing to do.",
                cause="The mask ratio rounds to none or to all of the places of a frame.",
                key="model.mask_ratio",
                remedy="a ratio between 1/places and 1 - 1/places, or smaller tubelets.",
            )
    spread = evidence.diagnostics.get("check/prediction_spread")
    if spread is not None and spread < MIN_SPREAD:
        yield _finding(
            spread,
            MIN_SPREAD,
            "All hidden places of a clip get the same prediction.",
            cause="The masked decoder is not told where the places are that it predicts.",
            key="model.masked_decoder",
            remedy="add the positions of the hidden places to the tokens that stand for them.",
        )


def _finding(
    measured: float, threshold: float, statement: str, *, cause: str, key: str, remedy: str
) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="tokens of one clip; deviation over its hidden places / size of the predictions",
        null="0 for a decoder without positions: its loss is then that of each clip's mean tubelet",
        cause=cause,
        key=key,
        remedy=remedy,
        next_measurement="The picture of rebuilt clips, predictions/masked.png.",
    )
