"""YAML with one meaning: plain data only, no aliases, no tags, and no key twice."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cinelex.core.errors import UserError

LARGEST_CHARACTERS = 1_000_000
DEEPEST = 32
WORDS = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)

Keys = tuple[str, ...]
"""The path of a value in a config: the keys that lead there, from the top."""


@dataclass(frozen=True)
class Document:
    """What some YAML says, and where it says it."""

    data: Any
    origins: Mapping[Keys, str]
    """File and line of every key."""


def plain_value(text: str) -> Any:
    """Return what an unquoted word means: null, true, false, a number, or else the word itself.

    ``1e-4`` is a number, and ``1e4`` is the whole number that people mean by it; ``yes``, ``010``
    and ``2026-01-31`` are words.

    Raises:
        ValueError: A number that is not finite, or too long to be one.
    """
    if text in WORDS:
        return WORDS[text]
    if len(text) <= 100 and INTEGER.fullmatch(text):
        return int(text)
    if NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if not FLOAT.fullmatch(text) or re.fullmatch(r"[-+]?[0-9_]+", text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is not a finite number")
    whole = "." not in text and number.is_integer() and abs(number) < 2**53
    return int(number) if whole else number


def read_yaml(path: Path, *, dotted_keys: bool = False) -> Document:
    """Return what a YAML file says; an empty file says ``{}``.

    Args:
        path: The file.
        dotted_keys: Let a key have dots, as the keys of a sweep file do.

    Raises:
        UserError: The file cannot be read, is not YAML, or is more than plain data; the message
            names the line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 at byte {error.start}; expected a YAML file") from None
    document = parse_yaml(text, source=str(path), dotted_keys=dotted_keys)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise UserError(f"{path}: expected 'key: value' lines, found a {type(data).__name__}")
    return Document(data, document.origins)


def parse_yaml(text: str, *, source: str, dotted_keys: bool = False) -> Document:
    """Return what ``text`` says.

    Args:
        text: One YAML document.
        source: Name of the text in messages.
        dotted_keys: Let a key have dots.

    Raises:
        UserError: Not YAML, or more than plain data; the message names source and line.
    """
    if len(text) > LARGEST_CHARACTERS:
        raise UserError(f"{source}: longer than a config may be ({LARGEST_CHARACTERS} characters)")
    reader = _Reader(source, dotted_keys=dotted_keys)
    try:
        data = reader.document(iter(yaml.parse(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise UserError(f"{source}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        raise UserError(
            f"{source}: character {error.position} ({error.character!r}) is not allowed in YAML"
        ) from None
    return Document(data, reader.origins)


class _Reader:
    """Builds plain data from parser events, so that no tag or alias can build anything else."""

    def __init__(self, source: str, *, dotted_keys: bool) -> None:
        self.source, self.dotted_keys = source, dotted_keys
        self.origins: dict[Keys, str] = {}

    def document(self, events: Iterator[Any]) -> Any:
        """Return the value of the only document."""
        content = (event for event in events if not isinstance(event, _FRAMES))
        first = next(content, None)
        value = None if first is None else self.value(first, content, ())
        extra = next(content, None)
        if extra is not None:
            raise self.refuse(extra, "a second document begins; expected one")
        return value

    def value(self, event: Any, events: Iterator[Any], path: Keys) -> Any:
        """Return the value that begins with ``event``."""
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self.refuse(event, "anchors and aliases (& and *) are not supported; use base:")
        if event.tag is not None:
            raise self.refuse(event, f"tags are not supported, found {event.tag!r}")
        if len(path) > DEEPEST:
            raise self.refuse(event, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(events, path)
        return self.scalar(event)

    def scalar(self, event: yaml.ScalarEvent) -> Any:
        """Return a quoted word as it is, and a plain one as what it means."""
        if event.style is not None:
            return event.value
        try:
            return plain_value(event.value)
        except ValueError as error:
            raise self.refuse(event, str(error)) from None

    def sequence(self, events: Iterator[Any], path: Keys) -> list[Any]:
        """Return the list whose items follow."""
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.value(event, events, (*path, str(len(items)))))
        return items

    def mapping(self, events: Iterator[Any], path: Keys) -> dict[str, Any]:
        """Return the mapping whose keys and values follow."""
        items: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.key(event)
            if key in items:
                first = self.origins[(*path, key)]
                raise self.refuse(event, f"the key {key!r} stands twice, first at {first}")
            self.origins[(*path, key)] = f"{self.source}:{event.start_mark.line + 1}"
            items[key] = self.value(next(events), events, (*path, key))
        return items

    def key(self, event: Any) -> str:
        """Return a key, which is one word, and without a dot unless those are allowed."""
        if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag or not event.value:
            raise self.refuse(event, "expected a key")
        key: str = event.value
        if "." in key and not self.dotted_keys:
            raise self.refuse(
                event, f"write {key!r} as nested keys; dots are for the command line only"
            )
        return key

    def refuse(self, event: Any, problem: str) -> UserError:
        """Return the error that names the line of ``event``."""
        return UserError(f"{self.source}:{event.start_mark.line + 1}: {problem}")


_FRAMES = (
    yaml.StreamStartEvent,
    yaml.StreamEndEvent,
    yaml.DocumentStartEvent,
    yaml.DocumentEndEvent,
)


class _Dumper(yaml.SafeDumper):
    """Quotes what ``plain_value`` would not read back as a word."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: the reader knows no aliases."""
        return True


def _represent_word(dumper: yaml.SafeDumper, word: str) -> yaml.ScalarNode:
    try:
        same = plain_value(word) == word
    except ValueError:
        same = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", word, style=None if same else "'")


_Dumper.add_representer(str, _represent_word)


def dump_yaml(data: Mapping[str, Any]) -> str:
    """Return YAML that ``parse_yaml`` reads back as equal data, its keys in their order."""
    return yaml.dump(
        dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None
    )
