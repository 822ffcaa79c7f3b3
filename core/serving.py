"""The other end of ``children``: a process that answers requests on its standard streams."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any


def serve(answers_to: Callable[[dict[str, Any]], Iterator[dict[str, Any]]]) -> None:
    """Answer requests on the standard streams until there are no more.

    Whatever a library prints goes to standard error.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while len(prefix := sys.stdin.buffer.read(8)) == 8:
        request = json.loads(sys.stdin.buffer.read(int.from_bytes(prefix, "big")))
        for answer in answers_to(request):
            text = json.dumps(answer).encode()
            out.write(len(text).to_bytes(8, "big") + text)
            out.flush()
