"""Child processes that answer requests, and that are killed when they miss their deadline.

A child is ``python -m module``, which calls ``serving.serve``. Requests and answers are a length (8
bytes, big-endian) and that many bytes of JSON each. One request may have many answers. Nothing is
pickled.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from cinelex.core.processes import child_environment

START_S = 60.0
"""Seconds that a child may take to start, on top of its first answer's."""


class ChildDiedError(Exception):
    """A child ended before it answered."""


class ChildLateError(Exception):
    """A child did not answer in time, and was killed."""


class Child:
    """A process that is started when it is first asked, and anew after it died or was late.

    Neither a hang with the interpreter's lock held nor a crash of it reaches the caller. One
    thread at a time may use it.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._process: subprocess.Popen[bytes] | None = None

    def ask(
        self, request: dict[str, Any], *, answers: int, deadline_s: float
    ) -> Iterator[dict[str, Any]]:
        """Send a request and yield its answers, each of which may take ``deadline_s``.

        Raises:
            ChildDiedError: It ended before all answers were there.
            ChildLateError: An answer took too long.
        """
        spare = 0.0
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = self._start()
            spare = START_S
        try:
            self._send(self._process, request)
            for _ in range(answers):
                yield self._receive(self._process, time.monotonic() + deadline_s + spare)
                spare = 0.0
        except (BrokenPipeError, EOFError) as error:
            self.close()
            raise ChildDiedError from error
        except TimeoutError as error:
            self.close()
            raise ChildLateError from error

    def kill(self) -> None:
        """End the process, from any thread; whoever waits for an answer learns that it died."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End the child."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                # what a dead child has not read cannot be flushed
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process = None

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
        )

    def _send(self, process: "subprocess.Popen[bytes]", request: dict[str, Any]) -> None:
        assert process.stdin is not None
        text = json.dumps(request).encode()
        process.stdin.write(len(text).to_bytes(8, "big") + text)
        process.stdin.flush()

    def _receive(self, process: "subprocess.Popen[bytes]", deadline: float) -> dict[str, Any]:
        assert process.stdout is not None
        pipe = process.stdout.fileno()
        length = int.from_bytes(_read(pipe, 8, deadline), "big")
        answer: dict[str, Any] = json.loads(bytes(_read(pipe, length, deadline)))
        return answer


def _read(pipe: int, count: int, deadline: float) -> bytearray:
    """Read exactly ``count`` bytes before the deadline."""
    data = bytearray(count)
    view = memoryview(data)
    done = 0
    while done < count:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        read = os.readv(pipe, [view[done:]])
        if read == 0:
            raise EOFError
        done += read
    return data
