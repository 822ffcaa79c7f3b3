"""Who may search: whoever has a token, or whoever sits at this machine."""

import ipaddress
import secrets
from pathlib import Path

from cinelex.core.errors import UserError


def is_loopback(host: str) -> bool:
    """Return whether nobody outside this machine can reach a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tokens_for(host: str, path: Path | None) -> dict[str, str]:
    """Return the tokens that are needed: none on loopback, unless a file names some."""
    if path is not None:
        return read_tokens(path)
    return {} if is_loopback(host) else {secrets.token_urlsafe(24): "guest"}


def read_tokens(path: Path) -> dict[str, str]:
    """Return the person of each token, from lines of a name and a token.

    Raises:
        UserError: The file cannot be read, or a token is short.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({type(error).__name__})") from None
    pairs = [line.split() for line in lines if line.strip()]
    if not pairs or any(len(pair) != 2 or len(pair[1]) < 16 for pair in pairs):
        raise UserError(f"{path}: each line needs a name and a token of 16 characters or more")
    return {token: person for person, token in pairs}
