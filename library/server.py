"""The requests that the page makes, and their answers."""

import asyncio
import tempfile
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.concurrency import run_in_threadpool

from cinelex.core.errors import UserError
from cinelex.library.guard import UPLOAD_PATH, Refusal
from cinelex.library.loops import loop_of, sheet
from cinelex.library.requests import Explain, Keep, Label, Search
from cinelex.library.site import Site

TYPES: Final = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
}
UPLOAD_S: Final = 120.0
"""Seconds that the bytes of a file may take to arrive."""
KEPT: Final = {"cache-control": "private, max-age=86400"}


def make_app(site: Site) -> FastAPI:
    """Return the application; ``Guard`` stands before it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _handle_errors(app)
    _add_page(app)
    _add_searches(app, site)
    _add_videos(app, site)
    _add_uploads(app, site)
    _add_memory(app, site)
    return app


def _person(request: Request) -> str:
    return str(request.state.person)


def _handle_errors(app: FastAPI) -> None:
    def answer(status: int, message: str) -> JSONResponse:
        return JSONResponse({"error": message}, status_code=status)

    @app.exception_handler(UserError)
    def refused(_: Request, problem: UserError) -> JSONResponse:
        return answer(400, str(problem))

    @app.exception_handler(Refusal)
    def turned_away(_: Request, refusal: Refusal) -> JSONResponse:
        return answer(refusal.status, refusal.message)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return answer(422, f"{where}: {first['msg']}")

    @app.exception_handler(404)
    def absent(_: Request, __: Exception) -> JSONResponse:
        return answer(404, "there is no such thing here")


def _add_page(app: FastAPI) -> None:
    """Serve the files of the page, each read once; no path of a request reaches the disk."""
    folder = files("cinelex.library") / "page"
    pages = {item.name: item.read_bytes() for item in folder.iterdir()}

    def page(name: str) -> Response:
        if name not in pages:
            raise Refusal(404, "there is no such page")
        kind = TYPES[Path(name).suffix]
        return Response(pages[name], media_type=kind, headers={"cache-control": "no-cache"})

    app.add_api_route("/", lambda: page("index.html"))
    app.add_api_route("/page/{name}", page)


def _add_searches(app: FastAPI, site: Site) -> None:
    @app.get("/api/library")
    def about() -> dict[str, Any]:
        return {
            "name": site.library.run.config.name,
            "studies": site.searcher.studies,
            "videos": site.library.catalog.current_videos,
            "columns": site.searcher.columns,
            "pacs": site.pacs,
            "max_upload": site.max_upload,
        }

    @app.post("/api/search")
    def search(asked: Search, request: Request) -> dict[str, Any]:
        address = request.client.host if request.client else ""
        return site.search(asked, _person(request), address)

    @app.post("/api/explain")
    def explain(asked: Explain, request: Request) -> list[dict[str, Any]]:
        question, _ = site.question(asked.query, _person(request))
        rows = [row for row in asked.rows if row < len(site.library.vectors)]
        return [site.searcher.why(question, case) for case in site.library.catalog.cases(rows)]


def _add_videos(app: FastAPI, site: Site) -> None:
    @app.get("/api/videos/{number}/poster")
    def poster(number: int) -> Response:
        return _picture(site.loops.poster(number))

    @app.get("/api/videos/{number}/sheet")
    def frames(number: int) -> Response:
        path = site.loops.sheet(number)
        if path is None:
            raise Refusal(404, "there is no such video")
        return FileResponse(path, media_type="image/webp", headers=KEPT)


def _add_uploads(app: FastAPI, site: Site) -> None:
    @app.post(UPLOAD_PATH)
    async def upload(request: Request) -> dict[str, Any]:
        limit = site.max_upload
        if int(request.headers["content-length"]) > limit:
            raise Refusal(413, f"a file may have {limit >> 20} MiB; drop a shorter cine")
        with tempfile.NamedTemporaryFile(prefix="cinelex-") as file:
            try:
                async with asyncio.timeout(UPLOAD_S):
                    async for part in request.stream():
                        file.write(part)
            except TimeoutError:
                raise Refusal(408, "the file took too long to arrive; try again") from None
            file.flush()
            number = await run_in_threadpool(site.uploads.add, Path(file.name), _person(request))
        kept = site.uploads.get(number, _person(request))
        return {"upload": number, **asdict(loop_of(kept.frames.shape, kept.times_ms))}

    @app.get(UPLOAD_PATH + "/{number}/sheet")
    def uploaded(number: str, request: Request) -> Response:
        return _picture(sheet(site.uploads.get(number, _person(request)).frames))


def _picture(data: bytes | None) -> Response:
    if data is None:
        raise Refusal(404, "there is no such video")
    return Response(data, media_type="image/webp", headers=KEPT)


def _add_memory(app: FastAPI, site: Site) -> None:
    @app.post("/api/labels")
    def label(asked: Label, request: Request) -> dict[str, str]:
        _, name = site.question(asked.query, _person(request))
        study = _study(site, asked.row)
        site.memory.label(_person(request), name, study, asked.verdict)
        return {"verdict": asked.verdict}

    @app.get("/api/labels.csv")
    def labels(request: Request) -> Response:
        rows = [(q, v, study) for q, study, v in site.memory.all_labels(_person(request))]
        return _table(site.cases_csv(rows, ("query", "verdict", "study_id")), "labels")

    @app.get("/api/lists")
    def lists(request: Request) -> dict[str, list[str]]:
        return site.memory.lists(_person(request))

    @app.post("/api/lists")
    def keep(asked: Keep, request: Request) -> dict[str, list[str]]:
        study = _study(site, asked.row)
        site.memory.keep(_person(request), asked.name, study, kept=asked.kept)
        return site.memory.lists(_person(request))

    @app.get("/api/list.csv")
    def case_list(name: str, request: Request) -> Response:
        rows = [(study,) for study in site.memory.lists(_person(request)).get(name, [])]
        return _table(site.cases_csv(rows, ("study_id",)), "cases")


def _study(site: Site, row: int) -> str:
    if row >= len(site.library.vectors):
        raise Refusal(404, "there is no such study")
    return site.library.catalog.cases([row])[0].id


def _table(text: str, name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=disposition)
