"""The doctor's rules, from their table."""

from collections.abc import Iterator

import griffe

from cinelex.doctor.rules import RULES
from docs.generate.markdown import link, sentence, table


def rules(package: griffe.Object) -> str:
    """Return a table of all rules."""
    return table(["rule", "asks", "check"], _rows(package))


def _rows(package: griffe.Object) -> Iterator[list[str]]:
    for number, checks in RULES.items():
        for check in checks:
            path = f"{check.__module__}.{check.__qualname__}"
            module = package[check.__module__.removeprefix("cinelex.")]
            yield [number, sentence(module).partition(": ")[2], link(path)]
