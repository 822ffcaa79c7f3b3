"""N7 and N8: does a score need the video, or do texts and metadata do as well?"""

from collections.abc import Iterator, Sequence

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.projects.interface.results import Null, Score

UNSEEN = ("blank_video", "other_sample", "permuted_pixels")
METADATA = ("metadata",)
JUDGED = ("recall_at_5", "auroc", "lesion_f1_segment", "kind_f1")
"""Scores that are asked: the others of a section go with them."""


def _margin(score: Score, null: Null) -> tuple[float, float, float] | None:
    """Return how much better a score is than a null, and the ends of that, better being more."""
    margin = null.margin
    if margin is None or margin.value is None or margin.low is None or margin.high is None:
        return None
    ends = (margin.low, margin.high)
    return (
        (margin.value, *ends) if score.better == "higher" else (-margin.value, -ends[1], -ends[0])
    )


def _not_above(evidence: Evidence, names: Sequence[str]) -> Iterator[Measured]:
    """Name the score that is least above one of these nulls, if its interval reaches 0."""
    results = evidence.results
    found = [
        (margin, score, name, null)
        for score in (results.scores() if results else ())
        if score.better is not None and score.name.rpartition(".")[2] in JUDGED
        for name, null in score.nulls.items()
        if name in names and (margin := _margin(score, null)) is not None
    ]
    failed = [entry for entry in found if entry[0][1] <= 0]
    if not results or not failed or evidence.young:
        return
    (value, low, high), score, name, null = min(failed, key=lambda entry: entry[0][0])
    named = {
        **{
            "score": results.called(score),
            "own": score.value,
            "other": null.value,
            "low": low,
            "high": high,
        },
        **{"kind": name.replace("_", " "), "where": len(failed), "count": len(found)},
    }
    yield Measured(value, 0.0, named)


BLIND_VIDEO = Rule(
    id="N7",
    name="as good without the video",
    severity="warning",
    statement="{score} is {own:.3f} with the video and {other:.3f} with {kind}: the score does "
    "not need the video. This holds for {where} of {count} such comparisons.",
    formula="the score minus the same score with {kind}, paired by patient; 95 % interval "
    "{low:.3f} to {high:.3f}",
    null="the interval of the difference is above 0 for a model that looks",
    cause="The texts can be predicted without looking, the video tower has learned nothing, or "
    "studies differ by their number of videos.",
    key="loss_weights",
    remedy="raise the weight of the contrastive term, or train it first.",
    next_measurement="The same difference on training studies: if it is there, the run overfits.",
    check=lambda evidence: _not_above(evidence, UNSEEN),
)
METADATA_ALONE = Rule(
    id="N8",
    name="as good from metadata alone",
    severity="warning",
    statement="{score} is {own:.3f}, and {other:.3f} from metadata alone (frame count and rate, "
    "file size, brightness, machine, site, year, order). This holds for {where} of {count} "
    "such comparisons.",
    formula="the score minus that of ridge regression from metadata, paired by patient; 95 % "
    "interval {low:.3f} to {high:.3f}",
    null="the interval of the difference is above 0; chance for metadata that say nothing",
    cause="A machine, a site or an export gives the answer away, or the model learned no more "
    "than that.",
    key="data.manifest",
    remedy="split by site or machine, equalise brightness, or leave out the studies that give "
    "it away.",
    next_measurement="The metadata score on another site: at chance there, it was a shortcut.",
    check=lambda evidence: _not_above(evidence, METADATA),
)
