"""N6, N11, N18: answers near the mean, a weak subgroup, probabilities that are not true."""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence, is_number
from cinelex.doctor.rules.rule import Measured, Rule

NARROW = 0.5
"""sd(prediction) / sd(truth) below which answers are called near the mean."""
SIGNIFICANT = 0.05
MIN_GAP = 0.02
"""Of a probability: two points of a hundred mislead nobody, however surely they are there."""


def _near_the_mean(evidence: Evidence) -> Iterator[Measured]:
    """Name the measurement whose answers spread least, where the interval is below the limit."""
    found = [
        score
        for score in (evidence.results.scores() if evidence.results else ())
        if score.name.endswith(".sd_ratio") and score.value is not None
    ]
    narrow = [one for one in found if one.high is not None and one.high < NARROW]
    if not evidence.results or not narrow or evidence.young:
        return
    worst = min(narrow, key=lambda one: one.value or 0.0)
    slope = evidence.results.score(worst.name.replace("sd_ratio", "slope"))
    named = {
        "score": evidence.results.called(worst),
        "low": worst.low,
        "high": worst.high,
        "slope": slope.value if slope else None,
    }
    yield Measured(worst.value or 0.0, NARROW, named)


def _weak_subgroup(evidence: Evidence) -> Iterator[Measured]:
    """Name the weakest subgroup that is worse than the rest after correction."""
    tables = evidence.results.tables if evidence.results else ()
    rows = [
        row
        for table in tables
        if table.name == "subgroups"
        for row in table.rows
        if is_number(row.get("holm")) and is_number(row.get("effect"))
    ]
    weak = [row for row in rows if row["holm"] < SIGNIFICANT and row["effect"] < 0]
    if not weak:
        return
    worst = min(weak, key=lambda row: row["effect"])
    yield Measured(worst["mean"], worst["overall"], {**worst, "count": len(rows)})


def _uncalibrated(evidence: Evidence) -> Iterator[Measured]:
    """Name the probability that is furthest beyond what a calibrated model would show."""
    found = [
        (score.value - null.high, score, null)
        for score in (evidence.results.scores() if evidence.results else ())
        if score.name.endswith(".calibration_error") and score.value is not None
        if (null := score.nulls.get("calibrated_model")) is not None and null.high is not None
    ]
    gaps = [entry for entry in found if entry[0] > 0 and (entry[1].value or 0.0) > MIN_GAP]
    if not evidence.results or not gaps or evidence.young:
        return
    _, score, null = max(gaps, key=lambda entry: entry[0])
    assert score.value is not None
    assert null.high is not None
    yield Measured(
        score.value, null.high, {"score": evidence.results.called(score), "mean": null.value}
    )


NEAR_THE_MEAN = Rule(
    id="N6",
    name="answers near the mean",
    severity="warning",
    statement="{score}: predictions spread {value:.2f} times as much as the truth.",
    formula="sd(prediction) / sd(truth); 95 % interval over patients {low:.2f} to {high:.2f}; "
    "slope over the truth {slope}",
    null="0 for a constant answer, 1 for a true one",
    cause="Where the video says little, predictions near the mean minimise the error.",
    key="loss_weights",
    remedy="give the term more weight or steps, or report the measurement as unknown.",
    next_measurement="The ratio on training studies: near 1 there, it is overfitting.",
    check=_near_the_mean,
)
WEAK_SUBGROUP = Rule(
    id="N11",
    name="a weak subgroup",
    severity="warning",
    statement="{score} is {mean:.3f} for {column} {value} ({items} studies of {patients} patients) "
    "and {overall:.3f} over all.",
    formula="mean of the subgroup beside all others; effect {effect:.2f} standard deviations, p "
    "{holm:.2g} after Holm over {count} subgroups; 95 % interval {low:.3f} to {high:.3f}",
    null="the overall value {overall:.3f}",
    cause="Too few such studies in training, or videos or reports that differ from the others'.",
    key="data.manifest",
    remedy="add such studies to the training split, or state for whom the model is not suitable.",
    next_measurement="The same subgroup in the training split.",
    check=_weak_subgroup,
)
UNCALIBRATED = Rule(
    id="N18",
    name="probabilities that are not what they say",
    severity="warning",
    statement="{score} is {value:.3f}, where a calibrated model of these probabilities would score "
    "{mean:.3f}.",
    formula="mean gap between probability and share over bins of equal numbers of items; the "
    "97.5th percentile of outcomes drawn from the probabilities is the threshold, two points at "
    "least",
    null="{mean:.3f}",
    cause="Fitted on few validation studies, or test studies have the fact more or less often.",
    key="data.validation_split",
    remedy="calibrate on more validation studies of the same kind as those that are tested.",
    next_measurement="Slope and intercept of the calibration line, which say in which way.",
    check=_uncalibrated,
)
