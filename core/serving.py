"""The other end of ``children``: a process that answers requests on its standard streams."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

Answer = dict[str, Any] | tuple[dict[str, Any], bytes]
"""What JSON holds; or that, saying their number as ``bytes``, and raw bytes behind it."""


def serve(answers_to: Callable[[dict[str, Any]], Iterator[Answer]]) -> None:
    """Answer requests on the standard streams until there are no more.

    Whatever a library prints goes to standard error.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _write(out, {}, b"")  # ready
    while len(prefix := sys.stdin.buffer.read(8)) == 8:
        request = json.loads(sys.stdin.buffer.read(int.from_bytes(prefix, "big")))
        for answer in answers_to(request):
            header, data = answer if isinstance(answer, tuple) else (answer, b"")
            _write(out, header, data)


def _write(out: BinaryIO, header: dict[str, Any], data: bytes) -> None:
    text = json.dumps(header).encode()
    out.write(len(text).to_bytes(8, "big") + text)
    out.write(data)
    out.flush()
