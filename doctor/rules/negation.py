"""N19: does a study tell its report from one that says the opposite?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

CHANCE = 0.5
MAX_HIGH = 0.65
"""Upper end of the interval above which nothing is known yet."""
KINDS = {
    "negation": "one that denies a finding",
    "segment": "one that puts it into another segment",
    "side": "one that swaps the side",
    "number": "one with another number",
}


def _tells_reports_apart(evidence: Evidence) -> bool:
    recall = evidence.held_out("retrieval.study_to_report").get("recall_at_1")
    chance = recall and recall.nulls.get("chance")
    if not recall or not chance or recall.low is None or chance.value is None:
        return False
    return recall.low > chance.value


def _blind(evidence: Evidence) -> Iterator[Measured]:
    if not _tells_reports_apart(evidence):
        return  # nor from their twins: other rules speak
    found = evidence.held_out("counterfactuals")
    for kind, other in KINDS.items():
        score = found.get(kind)
        if score is None or None in (score.value, score.low, score.high):
            continue
        if score.low <= CHANCE and score.high <= MAX_HIGH:  # type: ignore[operator]
            named = {"other": other, "low": score.low, "high": score.high}
            yield Measured(score.value or 0.0, CHANCE, named)


BLIND_TO_NEGATION = Rule(
    id="N19",
    name="blind to what a report denies",
    severity="warning",
    statement="Only {percent:.1f} % of the held-out studies are nearer to their report than to "
    "{other}.",
    formula="studies nearer to their own report / studies with such a twin; 95 % interval over "
    "patients {low:.3f} to {high:.3f}",
    null="50 %, which knowing nothing scores",
    cause="No two reports in a batch differ by this alone, so the contrastive loss never "
    "requires it.",
    key="loss_weights.counterfactual",
    remedy="set it above 0, which adds altered copies of the reports as negatives; or raise the "
    "weight of facts.",
    next_measurement="The same share on training studies.",
    check=_blind,
)
