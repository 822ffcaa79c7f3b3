"""D8: are the words that captioning is trained on whole, complete, and words?"""

from collections.abc import Iterator

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, Severity

RULE = "D8"
MAX_PADDING_EFFECT = 1e-4
"""Relative change of the caption loss when nothing but padding is added."""
MAX_CUT = 0.02
"""Share of the training reports that may be cut off."""
MAX_TOKENS = 2.5
"""Mean tokens of a percentage such as "70%"."""


def caption_targets(evidence: Evidence) -> Iterator[Finding]:
    """Look at padding, at reports that are cut, and at percentages in pieces."""
    diagnostics = evidence.diagnostics
    effect = diagnostics.get("check/padding_effect", 0.0)
    if effect > MAX_PADDING_EFFECT:
        yield _finding(
            effect,
            MAX_PADDING_EFFECT,
            f"The caption loss changes by {100 * effect:.2g} % when reports get more padding; "
            f"{100 * diagnostics.get('data/pad_share', 0.0):.0f} % of the word tables is padding.",
            severity="error",
            null="0: padding is no word; where it counts, easy words flatter the loss",
            cause="Padding is a target of the cross-entropy, or part of its mean.",
            key="tokenizer",
            remedy="ignore the padding word in the loss and divide by the words that count.",
        )
    cut = diagnostics.get("data/reports_cut", 0.0)
    if cut > MAX_CUT:
        yield _finding(
            cut,
            MAX_CUT,
            f"{100 * cut:.1f} % of the training reports are cut off before their end.",
            severity="warning",
            null="0 where every report fits",
            cause="Reports have more tokens than tokenizer.max_tokens.",
            key="tokenizer.max_tokens",
            remedy="raise it, or the vocabulary, until fewer than 2 % are cut.",
        )
    tokens = diagnostics.get("data/tokens_a_percentage", 0.0)
    if tokens > MAX_TOKENS:
        yield _finding(
            tokens,
            MAX_TOKENS,
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
