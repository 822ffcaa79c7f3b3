"""The doctor's rules, from their table."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from cinelex.doctor.rules import RULES
from cinelex.doctor.rules.rule import Rule
from docs.generate.markdown import code, table


def rules(_: object) -> str:
    """Return a table of all rules, and then everything that each says."""
    ordered = sorted(RULES, key=lambda rule: int(rule.id[1:]))
    rows = [[rule.id, rule.name, rule.severity, code(_key(rule))] for rule in ordered]
    return table(["rule", "finds", "severity", "change"], rows) + "".join(_details(ordered))


def _details(ordered: Sequence[Rule]) -> Iterator[str]:
    for number, about in groupby(ordered, key=lambda rule: rule.id):
        yield f"\n## {number}\n"
        for rule in about:
            yield f"\n### {rule.name}\n\n**{rule.severity}**: {_text(rule.statement)}\n\n"
            yield f"- Measured: {_text(rule.formula)}\n- Null: {_text(rule.null)}\n"
            yield f"- Cause: {_text(rule.cause)}\n"
            yield f"- Change {code(_key(rule))}: {_text(rule.remedy)}\n"
            yield f"- Settle it by: {_text(rule.next_measurement)}\n"


def _key(rule: Rule) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", rule.key)


def _text(text: str) -> str:
    """Return a text of a rule, in which what will be measured stands by its name."""
    named = re.sub(r"\{([\w.]+)[^}]*\}", lambda name: f"⟨{_named(name[1])}⟩", text)
    return " ".join(re.sub(r"([*_<|])", r"\\\1", named).split())


def _named(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")
