"""How long a search and a first frame take in a library of 100,000 studies.

python -m benchmarks.library_search RUN

``RUN`` is a trained run with a library (``cinelex index RUN``). Its studies are repeated, with
vectors moved a little, until there are 100,000; each question is a text that nobody asked before.
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import uvicorn

from cinelex.library import vectors
from cinelex.library.catalog import Catalog, NewCase
from cinelex.library.guard import Guard
from cinelex.library.library import ABOUT, CATALOG, FOLDER, Library
from cinelex.library.nulls import NULLS
from cinelex.library.search import Searcher
from cinelex.library.server import make_app
from cinelex.library.site import Site
from cinelex.metrics.facts.claims import sentences
from cinelex.trained.loading import load

STUDIES = 100_000
QUESTIONS = 200
AT_ONCE = 10_000
MOVED = 0.3
"""Length of what is added to a unit vector."""


def grown(library: Library, folder: Path) -> Library:
    """Return a library of many studies made of a small one."""
    for name in (NULLS, ABOUT):
        shutil.copy(library.folder / name, folder / name)
    catalog, draw = Catalog(folder / CATALOG), np.random.default_rng(0)
    known = library.catalog.cases(range(len(library.vectors)))
    dim, number = library.vectors.dim, itertools.count()
    for start in range(0, STUDIES, AT_ONCE):
        places = np.arange(start, start + AT_ONCE) % len(known)
        rows = library.vectors.all[places] + MOVED * draw.normal(0, dim**-0.5, (AT_ONCE, dim))
        rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        cases = []
        for offset, place in enumerate(places.tolist()):
            case = known[place]
            videos = tuple(replace(video, number=next(number)) for video in case.videos)
            row, name = start + offset, f"{case.id}-{start + offset}"
            case = replace(case, row=row, id=name, patient=name, videos=videos)
            cases.append(NewCase(case, "", vectors.digest_of(rows[offset])))
        count = sum(len(new.case.videos) for new in cases)
        single = np.zeros((count, dim), np.float32)
        before = (start, catalog.videos)
        vectors.append(folder, dim, studies=rows, videos=single, known=before)
        catalog.add(cases)
    return Library.open(folder, library.run)


def questions(library: Library) -> Iterator[str]:
    """Yield texts that nobody asked before: pairs of sentences of reports."""
    cases = library.catalog.cases(range(min(QUESTIONS * 2, len(library.vectors))))
    said = list(dict.fromkeys(text for case in cases for text in sentences(case.report)))
    draw = np.random.default_rng(1)
    while True:
        first, second = draw.choice(said, 2, replace=False)
        yield f"{first} {second}"


@contextmanager
def served(site: Site) -> Iterator[HTTPConnection]:
    """Give a connection to the server that ``cinelex demo`` starts, in this process."""
    app = Guard(make_app(site), tokens={}, person="benchmark")
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    thread = Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    connection = HTTPConnection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1])
    yield connection
    connection.close()
    server.should_exit = True
    thread.join()


def post(connection: HTTPConnection, asked: dict[str, Any]) -> None:
    """Ask for a search, and read its answer."""
    headers = {"content-type": "application/json"}
    connection.request("POST", "/api/search", json.dumps(asked), headers)
    answer = connection.getresponse()
    found = json.loads(answer.read())
    assert answer.status == 200, found


def timed(what: str, tries: Sequence[Callable[[], Any]]) -> str:
    """Return median and 95th percentile of what some calls take, by the clock and of processors."""
    took = []
    for attempt in tries:
        begun = time.perf_counter(), time.process_time()
        attempt()
        took.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    median, high = 1000 * np.quantile(took, [0.5, 0.95], axis=0)
    return (
        f"{what}: median {median[0]:.1f} ms, p95 {high[0]:.1f} ms; "
        f"of processors {median[1]:.1f} and {high[1]:.1f} ms over {len(took)}\n"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    run_folder = parser.parse_args().run
    small = Library.open(run_folder / FOLDER, load(run_folder))
    with tempfile.TemporaryDirectory() as folder:
        library = grown(small, Path(folder))
        site, texts = Site(library, pacs="", max_upload=1), questions(small)
        searcher: Searcher = site.searcher
        plain: dict[str, Any] = {"count": 12, "filters": {}}
        held: dict[str, Any] = {
            **plain,
            "filters": {"split": ["test"]},
            "words": "stenosis -calcified",
        }

        def search(how: dict[str, Any]) -> Callable[[], Any]:
            text = next(texts)
            return lambda: searcher.answer(searcher.of_text(text), **how)

        numbers = np.random.default_rng(2).permutation(len(library.vectors.videos))[:QUESTIONS]
        posters = [lambda n=n: site.loops.poster(int(n)) for n in numbers]
        sys.stdout.write(f"{len(library.vectors)} studies\n")
        sys.stdout.write(timed("search", [search(plain) for _ in range(QUESTIONS)]))
        sys.stdout.write(timed("filtered search", [search(held) for _ in range(QUESTIONS)]))
        both = {**plain, "order": "both"}
        sys.stdout.write(timed("by meaning and words", [search(both) for _ in range(QUESTIONS)]))
        with served(site) as connection:
            asked = [{**both, "query": {"text": next(texts)}} for _ in range(QUESTIONS)]
            posts = [lambda one=one: post(connection, one) for one in asked]
            sys.stdout.write(timed("by meaning and words, over HTTP", posts))
        sys.stdout.write(timed("first frame", posters))


if __name__ == "__main__":
    main()
