"""D1: does a sweep vary keys that are read, towards an objective that they do not define?

No run shows it: a sweep asks before its first trial, and refuses in the words of these rules.
"""

from functools import partial

from cinelex.doctor.rules.rule import Rule

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
    remedy="look for something with a unit of its own, such as "
    "retrieval/study_to_report/recall_at_1.",
)
