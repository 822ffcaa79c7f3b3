"""A library of the tiny run, served once for all tests of this folder."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from cinelex.library.building import bring_up_to_date
from cinelex.library.guard import Guard
from cinelex.library.library import Library
from cinelex.library.server import make_app
from cinelex.library.site import Site
from cinelex.trained.loading import load
from tests.tiny_run import FinishedRun

TOKEN = "a-token-of-two-dozen-signs"
MAX_UPLOAD = 1 << 20


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    library: Library
    run: Path

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=60.0)


@pytest.fixture(scope="session")
def library(
    finished_run: FinishedRun, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Library, Path]:
    """The tiny run's studies, indexed beside a copy of the run."""
    folder = tmp_path_factory.mktemp("library") / "tiny"
    shutil.copytree(finished_run.path, folder)
    run = load(folder)
    return Library.open(bring_up_to_date(run, folder), run), folder


@pytest.fixture(scope="module")
def served(library: tuple[Library, Path]) -> Iterator[Served]:
    """The page on loopback, without a token."""
    found, folder = library
    pacs = "https://pacs.example/view?study={study_id}"
    site = Site(found, pacs=pacs, max_upload=MAX_UPLOAD)
    with serving(Guard(make_app(site), tokens={}, person="tester")) as address:
        yield Served(address, found, folder)


class serving:  # noqa: N801 - used as a function
    """A server in a thread of this process, as long as the context lasts."""

    def __init__(self, app: Guard) -> None:
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> str:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
