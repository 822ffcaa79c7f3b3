"""N16: does every layer move, by as much as layers do, and do its units answer?"""

from collections.abc import Iterator
from functools import partial
from statistics import median

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_RATIO = 0.5
"""Of an update over the weights that it changes: half of a layer anew in one step."""
MIN_PROBES = 3
MAX_GONE = 0.5
"""Share of the units of a tower."""
ABOVE_FRESH = 0.25
"""By how much the fresh model's share has to be exceeded."""
_UPDATE, _STILL, _DEAD, _SATURATED = (
    "update_over_weight/",
    "unchanged/",
    "units/dead/",
    "units/saturated/",
)


def _keys(evidence: Evidence, prefix: str) -> list[str]:
    return sorted({key for row in evidence.steps for key in row if key.startswith(prefix)})


def _at_rest(evidence: Evidence, tower: str) -> bool:
    """Return whether a tower has nothing to learn from: no term that reaches it has a weight."""
    terms = evidence.diagnostics.get("towers/terms", {}).get(tower, ())
    return bool(terms) and all(evidence.newest(f"weight/{term}") == 0 for term in terms)


def _unchanged(evidence: Evidence) -> Iterator[Measured]:
    moving = [row for row in evidence.steps if not row.get("skipped") and row.get("learning_rate")]
    for key in _keys(evidence, _STILL):
        counts = [row[key] for row in moving if row.get(key) is not None][-MIN_PROBES:]
        tower = key.removeprefix(_STILL)
        if len(counts) == MIN_PROBES and min(counts) > 0 and not _at_rest(evidence, tower):
            yield Measured(min(counts), 0.0, {"tower": tower}, course=(key,), line=0.0)


def _thrown(evidence: Evidence) -> Iterator[Measured]:
    """Yield the layer whose updates are longest, if that is too long."""
    found = {}
    for key in _keys(evidence, _UPDATE):
        ratios = [ratio for _, ratio in evidence.course(key)][-MIN_PROBES:]
        if len(ratios) == MIN_PROBES:
            found[key] = median(ratios)
    worst = max(found, key=lambda key: found[key], default=None)
    if worst is None or found[worst] <= MAX_RATIO:
        return
    named = {
        "layer": worst.removeprefix(_UPDATE),
        "others": sum(ratio > MAX_RATIO for ratio in found.values()) - 1,
        "middle": median(found.values()),
    }
    yield Measured(found[worst], MAX_RATIO, named, course=(worst,), line=MAX_RATIO)


def _gone(evidence: Evidence, *, prefix: str) -> Iterator[Measured]:
    for key in _keys(evidence, prefix):
        shares = [share for _, share in evidence.course(key)]
        if len(shares) > 1 and shares[-1] > max(MAX_GONE, shares[0] + ABOVE_FRESH):
            named = {"tower": key.removeprefix(prefix), "fresh": 100 * shares[0]}
            yield Measured(shares[-1], MAX_GONE, named, course=(key,), line=shares[0])


_rule = partial(Rule, id="N16", key="optimizer.learning_rate")
UNCHANGED = _rule(
    name="tensors that no update changes",
    severity="warning",
    statement="{value:.0f} trainable tensors of {tower} did not change at all in the last 3 "
    "updates that were examined.",
    formula="tensors whose numbers (4,096 of each, evenly spaced) a step leaves as they are",
    null="0: any gradient moves a tensor",
    cause="Their gradient is exactly 0: behind units that are dead, behind a mask that hides "
    "everything, or cut off; or the update is below what their precision can hold.",
    key="model",
    remedy="freeze what is not to train; else follow the term's graph to the first tensor that "
    "moves.",
    next_measurement="The gradient norm of these tensors alone.",
    check=_unchanged,
)
THROWN = _rule(
    name="a layer that is thrown about",
    severity="warning",
    statement="A step changes {layer} by {percent:.0f} % of its norm; the same holds for "
    "{others} other layers.",
    formula="|weights after - before| / |before|, of 4,096 numbers a tensor; median of the last 3 "
    "looks; the middle layer {middle:.2g}",
    null="0.0001 to 0.05 in layers that learn",
    cause="The learning rate is too high for this layer, or its weights have decayed to nothing.",
    remedy="lower it for this part (optimizer groups), or its weight decay.",
    next_measurement="The same ratio at a third of the learning rate.",
    check=_thrown,
)
DEAD_UNITS = _rule(
    name="dead units",
    severity="warning",
    statement="{percent:.0f} % of the units of {tower} are inactive for every sample; in the "
    "untrained model {fresh:.0f} % were.",
    formula="units whose input is below the activation's bend for all samples / units",
    null="the fresh model's share",
    cause="Too large a step pushed them below zero, where no gradient can bring them back.",
    remedy="lower it or warm up longer, clip gradients, or use a leaky activation.",
    next_measurement="The step at which the share rose, beside the loss.",
    check=lambda evidence: _gone(evidence, prefix=_DEAD),
)
SATURATED_UNITS = _rule(
    name="saturated units",
    severity="warning",
    statement="{percent:.0f} % of the bounded units of {tower} are saturated for every sample; "
    "in the untrained model {fresh:.0f} % were.",
    formula="units whose input is beyond 3 (tanh) or 6 (sigmoid) for all samples / units",
    null="the fresh model's share",
    cause="Weights in front of them grew until no gradient passes.",
    remedy="lower it, decay these weights, or normalise what goes in.",
    next_measurement="The step at which the share rose, beside the loss.",
    check=lambda evidence: _gone(evidence, prefix=_SATURATED),
)
