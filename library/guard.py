"""Who may ask the page for anything: checked before any other code sees a request."""

import hmac
import json
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cinelex.library.tokens import is_loopback

COOKIE: Final = "cinelex"
MAX_BODY: Final = 64 << 10
"""Bytes of a request that is no upload."""
UPLOAD_PATH: Final = "/api/uploads"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "x-frame-options": "DENY",
}


class Refusal(Exception):  # noqa: N818 - what is answered, not what went wrong
    """An answer other than what was asked for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Guard:
    """Lets requests through that come from the right place with a right token.

    Without tokens everybody is ``person``, and only names of this machine are answered to, so that
    no other site can reach it through a name that it points here. A page of another site may not
    send anything in either case.
    """

    def __init__(self, app: ASGIApp, *, tokens: Mapping[str, str], person: str) -> None:
        """Stand before an application; ``tokens`` has the person of each token."""
        self._app, self._tokens, self._person = app, dict(tokens), person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        headers = Headers(scope=scope)
        try:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
            if given and scope["path"] == "/":
                self._person_of(given)
                await _enter(given, guarded)
                return
            scope.setdefault("state", {})["person"] = self._known(headers)
            _check_origin(scope, headers)
        except Refusal as refusal:
            await _answer(refusal, guarded)
            return
        await self._app(scope, receive, guarded)

    def _known(self, headers: Headers) -> str:
        if not self._tokens:
            if not is_loopback(urlsplit(f"//{headers.get('host', '')}").hostname or ""):
                raise Refusal(403, "this page is for this machine alone; open it by 127.0.0.1")
            return self._person
        cookie: SimpleCookie = SimpleCookie()
        cookie.load(headers.get("cookie", ""))
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        return self._person_of(cookie[COOKIE].value if COOKIE in cookie else bearer)

    def _person_of(self, token: str) -> str:
        found = [
            person
            for known, person in self._tokens.items()
            if hmac.compare_digest(known.encode(), token.encode())
        ]
        if not found:
            raise Refusal(401, "a token is needed; open the address that the server printed")
        return found[0]


def _check_origin(scope: Scope, headers: Headers) -> None:
    if scope["method"] in ("GET", "HEAD"):
        return
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        raise Refusal(403, "pages of other sites may not send anything here")
    length = headers.get("content-length", "")
    if not length.isdigit():
        raise Refusal(411, "a request must say how long it is")
    if scope["path"] != UPLOAD_PATH and int(length) > MAX_BODY:
        raise Refusal(413, f"a request may have {MAX_BODY >> 10} KiB; ask for less at once")


async def _enter(token: str, send: Send) -> None:
    """Put the token into a cookie that no script can read, and out of the address."""
    cookie = f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"
    headers = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _answer(refusal: Refusal, send: Send) -> None:
    body = json.dumps({"error": refusal.message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
