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
"""Words in capitals before a colon end a section that is not kept, whatever they mean."""


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

    def split(self, text: str) -> list[tuple[str, str, str]]:
        """Return section, heading and text of each part of a report, in its order.

        The section is "" where no known heading heads a part; a part may have no text.
        """
        found = list(self._pattern.finditer(text))
        starts = [0, *(match.end() for match in found)]
        ends = [*(match.start() for match in found), len(text)]
        names = [("", ""), *((self._name(match), match.group().strip()) for match in found)]
        return [
            (*name, " ".join(text[start:end].split()))
            for name, start, end in zip(names, starts, ends, strict=True)
        ]

    def kept(self, text: str, sections: Sequence[str]) -> str:
        """Return the named sections of a report as one line.

        Within them capitals before a colon are text, for "LAD: 70 %" is no section. Of a report
        that has none of them all is kept that stands under no other known heading, and of one where
        that is nothing, all.
        """
        parts = self.split(text)
        for kept in (_within(parts, sections), [part for name, _, part in parts if not name]):
            if any(kept):
                return " ".join(filter(None, kept))
        return " ".join(text.split())

    def _name(self, match: re.Match[str]) -> str:
        word = match["known"]
        return self._section_of[" ".join(word.split()).casefold()] if word else ""


def _within(parts: Sequence[tuple[str, str, str]], sections: Sequence[str]) -> list[str]:
    """Return the text of some sections, and of parts in them that begin with other words."""
    kept = []
    inside = False
    for name, heading, text in parts:
        inside = name in sections if name else inside
        if inside:
            kept.append(text if name else f"{heading} {text}")
    return kept
