"""The sections of a report, by their headings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

from cinelex.core.errors import UserError

SHIPPED = Path(__file__).with_name("sections.yaml")
UNKNOWN = r"[A-ZÀ-Þ][A-ZÀ-Þ0-9 /&()-]{2,40}"
"""Words in capitals before a colon end a section, whatever they mean."""


@dataclass(frozen=True)
class Headings:
    """Which headings begin which section."""

    sections: Mapping[str, tuple[str, ...]]

    @staticmethod
    def read(path: Path = SHIPPED) -> "Headings":
        """Return the headings that a YAML file lists by section.

        Raises:
            UserError: It is not a mapping of lists of words.
        """
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise UserError(f"{path}: cannot be read ({type(error).__name__})") from None
        fits = isinstance(data, dict) and all(
            isinstance(words, list) and all(isinstance(word, str) for word in words)
            for words in data.values()
        )
        if not fits:
            raise UserError(f"{path}: expected 'section: [heading, …]' lines")
        return Headings({str(name): tuple(words) for name, words in data.items()})

    @cached_property
    def _section_of(self) -> dict[str, str]:
        return {word.casefold(): name for name, words in self.sections.items() for word in words}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        words = sorted(self._section_of, key=len, reverse=True)
        known = "|".join(re.escape(word).replace(r"\ ", r"[ \t]+") for word in words)
        return re.compile(
            rf"(?:^|(?<=[.;!?])[ \t]+)[ \t]*(?:(?P<known>(?i:{known}))[ \t]*(?::|$)"
            rf"|(?P<unknown>{UNKNOWN}):)",
            re.MULTILINE,
        )

    def split(self, text: str) -> list[tuple[str, str]]:
        """Return the sections of a report in its order; "" names what no known heading heads."""
        found = list(self._pattern.finditer(text))
        starts = [0, *(match.end() for match in found)]
        ends = [*(match.start() for match in found), len(text)]
        names = ["", *(self._name(match) for match in found)]
        parts = [
            (name, " ".join(text[start:end].split()))
            for name, start, end in zip(names, starts, ends, strict=True)
        ]
        return [(name, part) for name, part in parts if part]

    def kept(self, text: str, sections: Sequence[str]) -> str:
        """Return the named sections of a report as one line.

        Of a report that has none of them all is kept that stands under no other known heading, and
        of one where that is nothing, all.
        """
        parts = self.split(text)
        for names in (sections, ("",)):
            kept = [part for name, part in parts if name in names]
            if kept:
                return " ".join(kept)
        return " ".join(text.split())

    def _name(self, match: re.Match[str]) -> str:
        word = match["known"]
        return self._section_of[" ".join(word.split()).casefold()] if word else ""
