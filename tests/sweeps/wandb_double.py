"""A small double of W&B's server: it sends agents what the test wrote down."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Command = dict[str, Any]


def run_command(run_id: str, **chosen: Any) -> Command:
    """Return what the server sends to start a run; underscores of a key's name stand for dots."""
    args = {key.replace("__", "."): {"value": value} for key, value in chosen.items()}
    return {
        "type": "run",
        "run_id": run_id,
        "args": args,
        "program": "rm",
        "command": ["rm", "-rf"],
    }


@dataclass
class Double:
    """What the server was asked, and what it will answer."""

    commands: list[Command]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of a GraphQL answer."""
        kind = next(word for word in KINDS if word in query)
        self.asked.append((kind, variables))
        if kind == "upsertSweep":
            project = {"id": "p", "name": "cinelex", "entity": {"id": "e", "name": "me"}}
            return {
                kind: {"sweep": {"name": "s1", "project": project}, "configValidationWarnings": []}
            }
        if kind == "createAgent":
            return {kind: {"agent": {"id": "agent-1"}}}
        if kind == "agentHeartbeat":
            busy = json.loads(variables["runState"])
            following = (
                [] if busy else [self.commands.pop(0) if self.commands else {"type": "exit"}]
            )
            return {kind: {"agent": {"id": "agent-1"}, "commands": json.dumps(following)}}
        user = {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}
        return {"viewer": user}

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """Return the variables of every request of a kind."""
        return [variables for name, variables in self.asked if name == kind]


KINDS = ("upsertSweep", "createAgent", "agentHeartbeat", "viewer", "")


@contextmanager
def serving(commands: Sequence[Command]) -> Iterator[tuple[Double, str]]:
    """Serve on a free port of the loopback interface; yield the double and its address."""
    double = Double(list(commands))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802  the name that http.server calls
            sent = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path != "/graphql":
                self.reply(b"{}")
                return
            body = json.loads(sent)
            data = double.answer(body["query"], body.get("variables") or {})
            self.reply(json.dumps({"data": data}).encode())

        def do_GET(self) -> None:  # noqa: N802  the name that http.server calls
            self.reply(b"{}")

        def reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield double, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
