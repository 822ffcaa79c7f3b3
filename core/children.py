"""Child processes that answer requests, and that are killed when they miss their deadline.

A child is ``python -m module``, which calls ``serving.serve``. Requests and answers are a length (8
bytes, big-endian) and that many bytes of JSON each; an empty answer says that the child is ready.
One request may have many answers, or one whose ``bytes`` says how many raw ones follow it. Nothing
is pickled.
"""

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cinelex.core.processes import child_environment

START_S = 300.0
"""Seconds that a child may take to say that it is ready; where the machine is full or the libraries
lie on a cold network disk, more than one minute has been seen."""


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
        with self._exchange() as process:
            self._send(process, request)
            for _ in range(answers):
                yield _receive(process, time.monotonic() + deadline_s)

    def fetch(
        self, request: dict[str, Any], *, deadline_s: float
    ) -> tuple[dict[str, Any], bytearray]:
        """Send a request, and return its one answer and the ``bytes`` that follow it.

        Raises:
            ChildDiedError: It ended before all of it was there.
            ChildLateError: It took longer than ``deadline_s``.
        """
        with self._exchange() as process:
            deadline = time.monotonic() + deadline_s
            self._send(process, request)
            answer = _receive(process, deadline)
            return answer, _read(process, answer.get("bytes", 0), deadline)

    @property
    def pid(self) -> int | None:
        """The process's number; None where there is none at the moment."""
        return None if self._process is None else self._process.pid

    @contextmanager
    def _exchange(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Give the process, which is ready; end it where it fails."""
        try:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._process = self._start()
                _receive(self._process, time.monotonic() + START_S)
            yield self._process
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
            process_group=0,  # Ctrl-C is for the parent, which ends this
        )

    def _send(self, process: "subprocess.Popen[bytes]", request: dict[str, Any]) -> None:
        assert process.stdin is not None
        text = json.dumps(request).encode()
        process.stdin.write(len(text).to_bytes(8, "big") + text)
        process.stdin.flush()


def _receive(process: "subprocess.Popen[bytes]", deadline: float) -> dict[str, Any]:
    length = int.from_bytes(_read(process, 8, deadline), "big")
    answer: dict[str, Any] = json.loads(bytes(_read(process, length, deadline)))
    return answer


def _read(process: "subprocess.Popen[bytes]", count: int, deadline: float) -> bytearray:
    """Read exactly ``count`` bytes before the deadline."""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
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
