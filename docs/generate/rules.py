"""The doctor's rules, from their table."""

from collections.abc import Iterator

from cinelex.doctor.rules import RULES
from docs.generate.markdown import table


def rules(_: object) -> str:
    """Return a table of all rules."""
    return table(["rule", "finds", "severity", "key", "null"], _rows())


def _rows() -> Iterator[list[str]]:
    for rule in sorted(RULES, key=lambda rule: int(rule.id[1:])):
        yield [rule.id, rule.name, rule.severity, f"`{rule.key}`", rule.null]
