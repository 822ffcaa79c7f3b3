"""Search the studies of a trained run in a browser: by a finding, by videos, or by a study."""

import argparse
import getpass
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cinelex.core.console import say
from cinelex.core.entry import CommandLine, command, prog
from cinelex.core.errors import UserError
from cinelex.library.indexing import add_arguments, check_extra, up_to_date
from cinelex.library.tokens import tokens_for

PLACE: Final = re.compile(r"\{(\w+)\}")


def check_pacs(template: str) -> str:
    """Return the address of a viewer, if it is one.

    Raises:
        UserError: It is none, or names no column.
    """
    if template and not (re.match(r"https?://", template) and PLACE.search(template)):
        raise UserError(
            "--pacs: give an address such as https://pacs.example/view?study={study_id}, with "
            "columns of the manifest in braces"
        )
    return template


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = error.strerror if isinstance(error, OSError) else "ports are 0 to 65535"
        raise UserError(f"--port {port} on {host}: {reason}; choose another") from None
    return bound


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = CommandLine(prog=prog("cinelex demo"), description=__doc__)
    add_arguments(options)
    options.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; any but localhost needs a token",
    )
    options.add_argument("--port", type=int, default=8000, help="0 picks a free port")
    options.add_argument(
        "--tokens", type=Path, metavar="FILE", help="who may search: a name and a token per line"
    )
    options.add_argument(
        "--pacs", default="", help="URL of a viewer, with columns in braces such as {study_id}"
    )
    options.add_argument(
        "--max-upload-mib", type=int, default=256, help="largest file to search by, in MiB"
    )
    return options


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return its exit code, 2 for bad input."""
    options = parser().parse_args(arguments)
    if options.max_upload_mib < 1:
        raise UserError(f"--max-upload-mib: expected 1 or more, got {options.max_upload_mib}")
    pacs, tokens = check_pacs(options.pacs), tokens_for(options.host, options.tokens)
    bound = _bound(options.host, options.port)
    check_extra()
    import uvicorn  # these here, so that the options are shown without the extra

    from cinelex.library.guard import Guard
    from cinelex.library.server import make_app
    from cinelex.library.site import Site

    site = Site(up_to_date(options), pacs=pacs, max_upload=options.max_upload_mib << 20)
    guarded = Guard(make_app(site), tokens=tokens, person=getpass.getuser())
    name = f"[{options.host}]" if ":" in options.host else options.host
    address = f"http://{name}:{bound.getsockname()[1]}/"
    for token, person in tokens.items():
        say(f"for {person}: {address}?token={token}")
    if not tokens:
        say(f"open {address} (Ctrl-C ends it)")
    server = uvicorn.Server(
        uvicorn.Config(guarded, log_level="warning", access_log=False, server_header=False)
    )
    server.run(sockets=[bound])
    return 0


if __name__ == "__main__":
    sys.exit(main())
