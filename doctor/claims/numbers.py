"""Numbers in prose, with the digits that they were printed with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Relation = Literal["=", "<", ">", "~"]

_NUMBER = re.compile(
    r"(?P<relation>[<>≤≥~≈])?\s*"
    r"(?<![\w@#.:])(?<![^\d%]/)(?<!^/)(?<![A-Za-z]-)(?P<sign>[-−+])?(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<exponent>[eE][-+]?\d+)?(?P<percent>\s?%)?"
    r"(?![\w@:]|/(?![-−+]?\d)|\.\d|-[A-Za-z])"
)
_NO_NUMBER = re.compile(
    r"\b\d{4}-\d\d-\d\d\b|\bv?\d+(?:\.\d+){2,}\b"  # dates, versions
    r"|(?<![\d./])\d+(?:/\d+)+(?![\d./]|\s?%)"  # fractions
    r"|\bwithin \d+ (?:percentage )?points\b"
)
_GREATEST_EXPONENT = 300
"""Floats end soon after; ``12e4567`` is the start of a commit's hash, not a number."""
_CONFIDENCE = re.compile(r"\s*(?:CI\b|confidence|interval)", re.IGNORECASE)
_RELATIONS: dict[str, Relation] = {"<": "<", "≤": "<", ">": ">", "≥": ">", "~": "~", "≈": "~"}


@dataclass(frozen=True)
class Number:
    """A number as it was printed."""

    text: str
    value: float
    """As printed: 14.4 for ``14.4 %``."""
    half_unit: float
    """Half of the last printed digit's unit."""
    percent: bool
    relation: Relation
    start: int
    """Where its digits begin in its text."""
    end: int
    """Where it ends, with its percent sign."""

    @property
    def readings(self) -> tuple[tuple[float, float], ...]:
        """Value and half unit in the units that a run may have stored it in."""
        units = (100, 1) if self.percent else (1,)
        return tuple((self.value / unit, self.half_unit / unit) for unit in units)

    @property
    def digits(self) -> int:
        """Significant digits."""
        mantissa = re.split("[eE]", self.text)[0]
        return len(re.sub(r"\D", "", mantissa).lstrip("0")) or 1


def numbers_in(text: str) -> Iterator[Number]:
    """Yield the numbers of a text.

    Digits that belong to a name (``R@1``, ``BLEU-4``, ``within 10 points``), a date, a version, a
    fraction or a path are none, and neither is the 95 of a ``95 % interval``. A hyphen between two
    numbers is a range, not a sign.
    """
    text = _NO_NUMBER.sub(lambda match: " " * len(match[0]), text)
    for match in _NUMBER.finditer(text):
        if match["percent"] and _CONFIDENCE.match(text, match.end()):
            continue
        before = text[: match.start("sign" if match["sign"] else "digits")].rstrip()
        between = bool(match["sign"]) and bool(re.search(r"[\d%]$", before))
        if match["sign"] == "-" and re.search(r"[A-Za-z]$", text[: match.start("sign")]):
            continue
        negative = match["sign"] in ("-", "−") and not between
        plain = match["digits"].replace(",", "")
        decimals = len(plain.partition(".")[2])
        exponent = int((match["exponent"] or "e0")[1:])
        if abs(exponent) > _GREATEST_EXPONENT:
            continue
        value = float(f"{plain}e{exponent}") * (-1 if negative else 1)
        yield Number(
            match["digits"] + (match["exponent"] or ""),
            value,
            0.5 * 10.0 ** (exponent - decimals),
            match["percent"] is not None,
            _RELATIONS.get(match["relation"] or "", "="),
            match.start("digits"),
            match.end(),
        )
