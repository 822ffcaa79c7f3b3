"""Whether another probe would have ordered the encoders otherwise."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

from cinelex.core.errors import UserError
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.interface.results import Group, Score, read_results

PROBING, MEAN = "probing.", ".mean."


def fairness(
    others: Sequence[Path], own: Sequence[Score], *, name: str, tokens: int
) -> tuple[list[Group], list[Table]]:
    """Return how often two probes order two encoders differently, and the table behind it.

    Args:
        others: Folders of finished probing runs.
        own: The mean scores of this run.
        name: This run.
        tokens: Tokens a clip of this run's encoder.

    Raises:
        UserError: A folder holds no results of probing.
    """
    if not others:
        return [], []
    values = {name: _values(own)}
    seen = {name: tokens}
    for folder in others:
        found = read_results(folder)
        scores = [] if found is None else [s for s in found.scores() if MEAN in s.name]
        if found is None or not scores:
            raise UserError(f"probing.compare_with: {folder} holds no results of probing")
        values[folder.name] = _values(scores)
        seen[folder.name] = int(found.counts.get("probing.tokens_per_clip", 0))
    reversed_, compared = _reversals(values, own)
    score = Score(
        name="probing.fairness.reversed_pairs",
        label="pairs of encoders that two probes order differently",
        value=float(reversed_),
        better="lower",
        headline=True,
    )
    note = (
        f"{compared} comparisons: two encoders under one metric, ordered by two probes. Where one "
        "is reversed, which encoder is better depends on the probe. Encoders that give other "
        "numbers of tokens lend an attentive probe other room."
    )
    rows = [
        {"encoder": encoder, "tokens a clip": seen[encoder], **scores}
        for encoder, scores in values.items()
    ]
    table = Table(name="encoders", title="Encoders under each probe", note=note, rows=rows)
    return [Group(title="Fairness of the probes", note=note, scores=[score])], [table]


def _values(scores: Sequence[Score]) -> dict[str, float | None]:
    return {
        score.name.removeprefix(PROBING).replace(MEAN, " "): score.value
        for score in scores
        if score.name.startswith(PROBING) and MEAN in score.name
    }


def _reversals(
    values: Mapping[str, Mapping[str, float | None]], own: Sequence[Score]
) -> tuple[int, int]:
    """Return how many pairs of encoders two probes order differently, and how many there are."""
    metrics = sorted({score.name.rpartition(".")[2] for score in own})
    probes = sorted({score.variant for score in own})
    found = compared = 0
    for metric in metrics:
        for first, second in combinations(values.values(), 2):
            gaps = [
                (second.get(f"{probe} {metric}"), first.get(f"{probe} {metric}"))
                for probe in probes
            ]
            known = [a - b for a, b in gaps if a is not None and b is not None]
            for one, other in combinations(known, 2):
                compared += 1
                found += one * other < 0
    return found, compared
