"""D8: are the words that captioning is trained on whole, complete, and words?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, Severity

RULE = "D8"
MOST_PADDING_EFFECT = 1e-4
"""Relative change of the caption loss when nothing but padding is added."""
MOST_CUT = 0.02
"""Share of the training reports that may be cut off."""
MOST_TOKENS = 2.5
"""Mean tokens of a percentage such as "70%"."""


def caption_targets(evidence: Evidence) -> Iterator[Finding]:
    """Look at padding, at reports that are cut, and at percentages in pieces."""
    facts = evidence.facts
    effect = facts.get("check/padding_effect", 0.0)
    if effect > MOST_PADDING_EFFECT:
        yield _finding(
            effect,
            MOST_PADDING_EFFECT,
            f"The caption loss changes by {100 * effect:.2g} % when reports get more padding; "
            f"{100 * facts.get('data/pad_share', 0.0):.0f} % of the word tables is padding.",
            severity="error",
            null="0: padding is no word; where it counts, easy words flatter the loss",
            cause="Padding is a target of the cross-entropy, or part of its mean.",
            key="tokenizer",
            remedy="ignore the padding word in the loss and divide by the words that count.",
        )
    cut = facts.get("data/reports_cut", 0.0)
    if cut > MOST_CUT:
        yield _finding(
            cut,
            MOST_CUT,
            f"{100 * cut:.1f} % of the training reports are cut off before their end.",
            severity="warning",
            null="0 where every report fits",
            cause="Reports have more tokens than tokenizer.max_words.",
            key="tokenizer.max_words",
            remedy="raise it, or the vocabulary, until fewer than 2 % are cut.",
        )
    tokens = facts.get("data/tokens_a_percentage", 0.0)
    if tokens > MOST_TOKENS:
        yield _finding(
            tokens,
            MOST_TOKENS,
            f'A percentage such as "70%" is {tokens:.1f} tokens on average: numbers are spelled, '
            "not said.",
            severity="warning",
            null="1 where every percentage is a word",
            cause="The tokenizer was not made from such reports, or is too small.",
            key="tokenizer.kind",
            remedy="trained: its numbers are whole words.",
        )


def _finding(
    measured: float,
    threshold: float,
    statement: str,
    *,
    severity: Severity,
    null: str,
    cause: str,
    key: str,
    remedy: str,
) -> Finding:
    return Finding(
        rule=RULE,
        severity=severity,
        statement=statement,
        measured=measured,
        threshold=threshold,
        formula="counted over the training reports, or |loss with padding - loss| / loss",
        null=null,
        cause=cause,
        key=key,
        remedy=remedy,
        next_measurement="Ten training reports, encoded and decoded again.",
    )
