"""N17: does one process hold up the others, do some steps take much longer, does memory grow?"""

from collections.abc import Iterator
from statistics import median

from cinelex.doctor.evidence import WINDOW, Evidence
from cinelex.doctor.rules.rule import Measured, Rule

MAX_SLOWER = 1.3
MIN_PROBES = 3
OUTLIER = 5.0
"""A step that takes so many times the median is one."""
MAX_LOST = 0.2
"""Share of the time that may go to what outliers take beyond the median."""
MIN_LINES = 20
"""Of the record that hold a memory."""
MAX_RISES = 0.5
"""Share of them at which the peak is higher than at the one before."""
MAX_GROWTH = 0.1
_SLOWER, _RANK, _MEMORY = "straggler/slower", "straggler/rank", "speed/memory_gib"


def _straggler(evidence: Evidence) -> Iterator[Measured]:
    slower = [value for _, value in evidence.course(_SLOWER)][-MIN_PROBES:]
    ranks = [value for _, value in evidence.course(_RANK)][-MIN_PROBES:]
    if len(slower) < MIN_PROBES or len(set(ranks)) > 1 or median(slower) <= MAX_SLOWER:
        return
    named = {"rank": ranks[-1], "more": 100 * (median(slower) - 1)}
    yield Measured(median(slower), MAX_SLOWER, named, course=(_SLOWER,), line=1.0)


def _outliers(evidence: Evidence) -> Iterator[Measured]:
    """Judge steps that do nothing but train: none that validates, saves or is looked at."""
    config = evidence.config
    if config is None:
        return
    apart = [n for n in (config.validate_every, config.checkpoint_every, config.probe_every) if n]
    took = [
        ms
        for step, ms in evidence.course("step_ms")
        # what is done after a step is counted with the next
        if not any(step % every == 0 or (step - 1) % every == 0 for every in apart)
    ][-WINDOW:]
    if len(took) < WINDOW:
        return
    middle = median(took)
    beyond = [ms - middle for ms in took if ms > OUTLIER * middle]
    lost = sum(beyond) / max(1e-9, sum(took))
    if lost > MAX_LOST:
        named = {"count": len(beyond), "of": len(took), "longest": max(took), "middle": middle}
        yield Measured(lost, MAX_LOST, named, course=("step_ms",), line=middle)


def _growing(evidence: Evidence) -> Iterator[Measured]:
    held = [value for _, value in evidence.course(_MEMORY)]
    # what is first needed late, as for a validation, is no leak
    held = held[len(held) // 2 :]
    if len(held) < MIN_LINES:
        return
    rises = sum(b > a for a, b in zip(held, held[1:], strict=False)) / (len(held) - 1)
    growth = held[-1] / max(1e-9, held[0]) - 1
    if rises > MAX_RISES and growth > MAX_GROWTH:
        named = {"first": held[0], "last": held[-1], "rises": 100 * rises}
        yield Measured(growth, MAX_GROWTH, named, course=(_MEMORY,), line=held[0])


STRAGGLER = Rule(
    id="N17",
    name="a process that the others wait for",
    severity="warning",
    statement="Process {rank:.0f} takes {more:.0f} % longer than the median process from a step "
    "to the end of the next forward pass; the others wait for it.",
    formula="time of the slowest / median of all, on the device's clock, before they meet; median "
    "of the last 3 looks",
    null="1: all alike",
    cause="Its GPU is slow or shared, its disk is remote, or its samples are larger.",
    key="data.workers",
    remedy="move the process to another GPU or machine; balance the work of the ranks.",
    next_measurement="The same ratio with two machines exchanged.",
    check=_straggler,
)
STEP_OUTLIERS = Rule(
    id="N17",
    name="steps that take much longer",
    severity="note",
    statement="{percent:.0f} % of the time of the latest steps was spent in {count} of {of} "
    "that took more than 5 times the median ({middle:.0f} ms), the longest {longest:.0f} ms.",
    formula="sum over outliers of (step_ms - median) / sum of step_ms; without steps that "
    "validate, save or are looked at",
    null="0 on a machine that does nothing else",
    cause="Other work on the machine, a disk that stalls, or batches of very different size.",
    key="data.workers",
    remedy="nothing where others use the machine; else store frames on a local disk.",
    next_measurement="wait_ms of the same steps: if it is theirs, the loader stalls.",
    check=_outliers,
)
GROWING_MEMORY = Rule(
    id="N17",
    name="memory that grows",
    severity="warning",
    statement="Memory grew from {first:.2f} to {last:.2f} GiB over the newer half of the run, and "
    "at {rises:.0f} % of the looks.",
    formula="peak of the process (of the card, on a GPU) at each line of the record, newer half",
    null="0: the peak is reached early and stays",
    cause="Something is retained from step to step: a graph, a list of tensors, an unbounded "
    "cache.",
    key="data.workers",
    remedy="detach what is retained; stopping and resuming the run frees it for a while.",
    next_measurement="--run_mode profile, twice as many steps apart.",
    check=_growing,
)
