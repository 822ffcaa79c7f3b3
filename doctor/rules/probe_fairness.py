"""N12: would another probe have ordered the encoders otherwise?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.rules.rule import Measured, Rule


def _reversed(evidence: Evidence) -> Iterator[Measured]:
    """Name how many pairs of encoders two probes order differently."""
    results = evidence.results
    score = None if results is None else results.score("probing.fairness.reversed_pairs")
    if results is None or score is None or not score.value:
        return
    table = next((one for one in results.tables if one.name == "encoders"), None)
    rows = table.rows if table else ()
    given = [row.get("tokens a clip") for row in rows]
    tokens = (
        f"; they give {', '.join(map(str, given))} tokens a clip" if len(set(given)) > 1 else ""
    )
    yield Measured(score.value, 0.0, {"encoders": len(rows), "tokens": tokens})


PROBE_FAIRNESS = Rule(
    id="N12",
    name="probes order encoders differently",
    severity="warning",
    statement="{value:.0f} comparisons of {encoders} encoders change their order between "
    "probes{tokens}.",
    formula="pairs of encoders under one metric whose order two probes reverse",
    null="0: every probe ranks the encoders alike",
    cause="An attentive probe can use what the mean of all tokens hides, and more tokens help "
    "it more.",
    key="loss_weights",
    remedy="report every probe, and do not call an encoder better because of a single one.",
    next_measurement="The same table over three seeds, with equal numbers of tokens.",
    check=_reversed,
)
