"""Which encoding a text file is in: said, marked, proven, or refused."""

import codecs
import re
from pathlib import Path

import numpy as np

from cinelex.core.errors import UserError

BLOCK = 1 << 24
CHECKED_BLOCK = 1 << 18
"""Fits the processor's cache."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""The first bytes of a file that says its encoding, the longer before what they begin with."""
NAMES = {"utf-8": "UTF-8", "cp1252": "Windows-1252", "latin-1": "Latin-1"}
MAX_NEIGHBOURS = 0.3
"""Of the letters that are not ASCII, the share that stand together in Western European text, at
most; in Cyrillic, Greek, Arabic, Chinese it is nearly all."""
EAST_ASIAN = ("gb18030", "shift_jis", "euc_kr", "big5")
SIGNS = "\xa1-\xb4\xb6-\xbf\xd7\xf7\u201a\u201e\u2020-\u2022\u2030\u2039\u203a\u02c6\u02dc\u2122"
ODD = (
    (rf"[^\W\d_][{SIGNS}](?=[^\W\d_])", "signs stand between letters, as in Polish or DOS text"),
    (
        r"(?:[a-z][\xc0-\xde]|[A-Za-z][\u0160\u0178\u017d])(?=[a-z])",
        "capitals stand inside words, as in text of old Macintosh programs",
    ),
    ("[\xd0\xdd\xde\xf0\xfd\xfe]", "it would hold letters of Icelandic, as Turkish text does"),
)
"""What text shows that was written in another encoding than Windows-1252 or Latin-1."""
CZECH = (r"[\u0160\u0161\u017d\u017e]", r"[\xec\xf8\xf9\xe8]")
"""Together they are Czech or Slovak rather than Western."""
HALF_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")


def quotes_of_utf8(path: Path) -> int | None:
    """Return the quotes of a file that is UTF-8 without a mark, else None; it is held in blocks."""
    decoder, quotes = codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as stream:
        try:
            while block := stream.read(CHECKED_BLOCK):
                if decoder.getstate()[0] or not block.isascii():
                    decoder.decode(block)
                quotes += block.count(b'"')
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return quotes


def to_utf8(path: Path, data: bytes, *, encoding: str | None, key: str) -> tuple[bytes, str]:
    """Return text as UTF-8 without a mark, and the name of the encoding it was in.

    A mark at the start decides, then UTF-8 where every byte fits, then Windows-1252 where bytes
    0x80 to 0x9F occur, else Latin-1.

    Args:
        path: The file, for messages.
        data: What it holds.
        encoding: What the config says; None finds out.
        key: The config's key that says it.

    Raises:
        UserError: The text is not in the encoding that is said, or another encoding explains it at
            least as well; the message has the first such line, and the key.
    """
    mark, marked = next(((m, name) for m, name in MARKS if data.startswith(m)), (b"", None))
    data = data[len(mark) :]
    if encoding is None and marked is None:
        return _guessed(path, data, key)
    return _decoded(path, data, encoding or str(marked), key).encode(), encoding or str(marked)


def _decoded(path: Path, data: bytes, encoding: str, key: str) -> str:
    try:
        return data.decode(encoding)
    except LookupError:
        raise UserError(
            f"{key}: {encoding!r} is not an encoding; for example utf-8, cp1252, gb18030"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}: line {line} is not text in {encoding}; set {key} to the encoding it was "
            "saved in"
        ) from None


def _guessed(path: Path, data: bytes, key: str) -> tuple[bytes, str]:
    """Return text that nothing marks as UTF-8, and the encoding it must have been in."""
    head = np.frombuffer(data[:4096], np.uint8)
    if len(head) > 1 and max((head[1::2] == 0).mean(), (head[::2] == 0).mean()) > 0.5:
        encoding = "utf-16-le" if (head[1::2] == 0).mean() > 0.5 else "utf-16-be"
        return _decoded(path, data, encoding, key).encode(), encoding
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return data, "UTF-8"
    if b"\0" in data:
        raise UserError(f"{path}: neither text nor a table that is read; save it as CSV (UTF-8)")
    encoding = "cp1252" if re.search(rb"[\x80-\x9f]", data) else "latin-1"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:  # five bytes are none of Windows-1252
        place, why = error.start, "it has bytes that Windows-1252 does not know"
    else:
        place, why = _doubt(data, text)
        if not why:
            return text.encode(), NAMES[encoding]
    line = data.count(b"\n", 0, place) + 1
    raise UserError(
        f"{path}: line {line} is not UTF-8, and reading it as {NAMES[encoding]} would be a guess: "
        f"{why}; set {key}, for example to {_suggestion(data)}, or save the file as UTF-8"
    )


def _doubt(data: bytes, text: str) -> tuple[int, str]:
    """Return where Western text looks like another encoding's, and why; "" where it does not."""
    high = np.frombuffer(data, np.uint8) >= 0x80
    together = high[1:] & high[:-1]
    if together.sum() > MAX_NEIGHBOURS * high.sum():
        return int(together.argmax()), "letters beyond ASCII stand together"
    if half := HALF_UTF8.search(data):
        return half.start(), "other parts of the file are UTF-8"
    for pattern, why in ODD:
        if found := re.search(pattern, text):
            return found.start(), why
    carons = [re.search(pattern, text) for pattern in CZECH]
    if carons[0] and carons[1]:
        return carons[0].start(), "it would mix letters of Czech and of Western languages"
    return 0, ""


def _suggestion(data: bytes) -> str:
    """Return encodings of several bytes a letter that the whole text is in, else some others."""
    fitting = []
    for encoding in EAST_ASIAN:
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        fitting.append(encoding)
    return f"{', '.join(fitting)} or cp1251" if fitting else "cp1250, cp1251, cp1254 or mac_roman"
