"""Reports as plain text, whatever a spreadsheet kept them as."""

import html
import re
from html.parser import HTMLParser
from typing import Final

from striprtf.striprtf import rtf_to_text

RTF: Final = re.compile(r"\s*\{\\rtf")
TAG: Final = re.compile(
    r"</?(?:html|body|p|br|div|span|b|i|u|strong|em|table|tr|td|th|ul|ol|li|h[1-6]|font|pre)\b[^<>]*>",
    re.IGNORECASE,
)
BREAKING: Final = frozenset(
    ("p", "br", "div", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol")
)
UNSEEN: Final = frozenset(("script", "style", "head"))


def plain_text(text: str) -> str:
    """Return the text of a report that may be RTF or HTML, its lines kept."""
    if RTF.match(text):
        text = rtf_to_text(text, errors="ignore")
    elif TAG.search(text):
        text = _without_tags(text)
    elif "&" in text:
        text = html.unescape(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    """Collects text, with a line break where a block begins or ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note a break, or the start of what is not shown."""
        self.unseen += tag in UNSEEN
        if tag in BREAKING:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Note a break, or the end of what is not shown."""
        self.unseen -= tag in UNSEEN and self.unseen > 0
        if tag in BREAKING:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what is shown; a line break of the source is a space."""
        if not self.unseen:
            self.parts.append(" ".join(re.split(r"\s*\n\s*", data)))


def _without_tags(text: str) -> str:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return "".join(reader.parts)
