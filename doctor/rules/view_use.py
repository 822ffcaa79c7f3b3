"""D18: does an embedding depend on every view that is there, and on nothing that is not?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding

RULE = "D18"
MIN_CHANGE = 1e-6
"""1 - cosine that leaving out a view must cause."""
MAX_CHANGE = 1e-4
"""Change of a unit vector's numbers that rounding explains."""


def view_use(evidence: Evidence) -> Iterator[Finding]:
    """Look at the three changes of the views that were measured on the fresh model."""
    dropped = evidence.diagnostics.get("check/view_dropped")
    if dropped is not None and dropped < MIN_CHANGE:
        yield _finding(
            dropped,
            MIN_CHANGE,
            "Leaving out a view changes nothing: the study's embedding does not see it.",
            "Only the first view is read, or the aggregator takes one row.",
            key="model.aggregator",
        )
    absent = evidence.diagnostics.get("check/absent_view")
    if absent is not None and absent > MAX_CHANGE:
        yield _finding(
            absent,
            MAX_CHANGE,
            "A study's embedding changes when a study with more views stands beside it: views "
            "that do not exist are counted.",
            "Missing views are filled and not masked.",
            key="model.aggregator",
        )
    repeat = evidence.diagnostics.get("check/repeat")
    if repeat is not None and repeat > MAX_CHANGE:
        yield _finding(
            repeat,
            MAX_CHANGE,
            "Encoding the same study twice for evaluation gives two embeddings.",
            "Dropout, random crops, or random frames are on in evaluation.",
            key="model.video_encoder",
        )


def _finding(measured: float, threshold: float, statement: str, cause: str, *, key: str) -> Finding:
    return Finding(
        rule=RULE,
        severity="error",
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="1 - cosine without the last view; largest |difference| alone and in a batch, or "
        "of two passes",
        null="0 for an embedding that does not look at the view",
        cause=cause,
        key=key,
        remedy="one that reads every row of the study's own views, in evaluation mode.",
        next_measurement="The same three numbers after the change; --run_mode doctor takes them.",
    )
