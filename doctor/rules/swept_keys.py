"""D1: does a sweep vary keys that are read, towards an objective that they do not define?

No run shows it: a sweep asks before its first trial, and refuses in the words of these rules.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from cinelex.core.names import covered
from cinelex.doctor.finding import Finding
from cinelex.doctor.rules.rule import Measured, Rule
from cinelex.projects.interface.terms import Term

TOTALS = ("loss", "total", "total_loss", "weighted_sum")
"""Last words of the names that weighted sums go by."""

_rule = partial(
    Rule,
    id="D1",
    formula="swept keys that nothing reads, or that change the objective without any learning",
    null="0; a search over a key without effect ranks noise",
    key="parameters.{key}",
    next_measurement="Two trials that differ in this key alone and share a seed.",
)
UNREAD_KEY = _rule(
    name="a swept key that nothing reads",
    statement="{source}: parameters.{key}: nothing reads this key in project {project} with this "
    "base config, so sweeping it would measure noise.",
    cause="The sweep was written for another version or another part of the config.",
    remedy="remove it.",
)
DEPENDENT_OBJECTIVE = _rule(
    name="an objective made of what is swept",
    statement="metric {metric} depends on the swept key {key}: {reason}.",
    cause="The search would find the smallest weights, or the largest unit, not the best model.",
    remedy="optimise a metric that no swept key rescales, such as "
    "retrieval/study_to_report/recall_at_1.",
)


def unread_key(key: str, *, source: str, project: str) -> Finding:
    """Return the finding of a key that nothing was seen to read."""
    return UNREAD_KEY.finding(
        Measured(1.0, 0.0, {"source": source, "key": key, "project": project})
    )


def dependent_objective(
    name: str, swept: Sequence[str], terms: Mapping[str, Term]
) -> Finding | None:
    """Return the finding of an objective that a swept key changes without any learning.

    A weighted sum depends on its weights, and a loss on what changes its unit; of a term that is
    not in the table, on everything that changes any unit. None where it is no loss.
    """
    term = _term(name)
    if term is None:
        return None
    units = {key for one in terms.values() for key in one.unit_keys}
    guilty = {*terms[term].unit_keys} if term in terms else units
    if term in TOTALS:
        guilty = units | {"loss_weights"}
    for key in swept:
        if covered(key, guilty):
            reason = f"it changes the unit of the {term} loss, so the values are not comparable"
            if covered(key, ["loss_weights"]):
                reason = "the smallest weights would win, whatever is learned"
            named = {"metric": name, "key": key, "reason": reason}
            return DEPENDENT_OBJECTIVE.finding(Measured(1.0, 0.0, named))
    return None


def _term(name: str) -> str | None:
    """Return the loss term that an objective is; None for what is no loss."""
    parts = name.removeprefix("val/").removeprefix("validation/").removesuffix("/value").split("/")
    if parts[-1] in TOTALS:
        return parts[-1]
    if parts[0] in ("loss", "losses") and len(parts) > 1:
        return parts[1]
    return parts[-1].removesuffix("_loss") if parts[-1].endswith("_loss") else None
