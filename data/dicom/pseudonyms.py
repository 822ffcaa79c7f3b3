"""Keys of patients and studies that say nothing of them, under a key that stays in ``private/``."""

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cinelex.core.errors import UserError
from cinelex.core.files import PART_SUFFIX, read_json

KEY_BYTES: Final = 32
DIGITS: Final = 32
"""Hexadecimal digits of a pseudonym: 128 bit."""
MAX_SHIFT_DAYS: Final = 365
KEY_FILE: Final = "key"
FINGERPRINT_FILE: Final = "pseudonyms.json"


@dataclass(frozen=True)
class Pseudonyms:
    """HMAC-SHA-256 under the data set's key: equal ids have equal pseudonyms in it alone."""

    key: bytes

    def __repr__(self) -> str:
        return f"Pseudonyms({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """What tells this key from another and does not give it away."""
        return self._digest("fingerprint", "")[:16]

    def patient(self, patient: str) -> str:
        """Return the key of a patient."""
        return self._digest("patient", patient)

    def study(self, study_uid: str) -> str:
        """Return the key of a study."""
        return self._digest("study", study_uid)

    def site(self, institution: str) -> str:
        """Return the key of an institution."""
        return self._digest("site", institution)

    def days(self, patient: str) -> int:
        """Return by how many days all dates of a patient move: -365 to -1, always the same."""
        return -1 - int(self._digest("days", patient), 16) % MAX_SHIFT_DAYS

    def secret(self, purpose: str) -> str:
        """Return hexadecimal digits for a purpose of the data set's own, such as its splits."""
        return self._digest("secret", purpose)

    def _digest(self, kind: str, what: str) -> str:
        # the kind is signed too: a patient's id and a study's never have one pseudonym
        message = f"{kind}\0{what.strip()}".encode()
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()[:DIGITS]


def open_pseudonyms(dataset: Path) -> Pseudonyms:
    """Return the pseudonyms of a data set; the first to ask makes its key.

    The key is ``private/key`` (folder 0700, file 0600); its fingerprint stands beside the
    manifest. However many processes ask at once, on whatever nodes, one key is made.

    Raises:
        UserError: The key is lost, or is another than the data set was begun with.
    """
    key_path = dataset / "private" / KEY_FILE
    mark = dataset / FINGERPRINT_FILE
    known = read_json(mark)["fingerprint"] if mark.exists() else None
    if not key_path.exists():
        if known is not None:
            raise UserError(
                f"{key_path} is lost, and {dataset} was made with it: put it back from your backup "
                "or begin a new data set in another folder; under another key every patient would "
                "be a second person"
            )
        key_path.parent.mkdir(parents=True, exist_ok=True)
        key_path.parent.chmod(0o700)
        _write_once(key_path, f"{secrets.token_hex(KEY_BYTES)}\n", mode=0o600)
    pseudonyms = Pseudonyms(_read_key(key_path))
    if known is None:
        _write_once(mark, json.dumps({"fingerprint": pseudonyms.fingerprint}) + "\n", mode=0o644)
    elif known != pseudonyms.fingerprint:
        raise UserError(
            f"{key_path} is not the key that {dataset} was begun with (fingerprint "
            f"{pseudonyms.fingerprint}, expected {known}): put the right one back, or begin a new "
            "data set in another folder"
        )
    return pseudonyms


def _write_once(path: Path, content: str, *, mode: int) -> None:
    """Write a file unless another process was first; it is whole or not there."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART_SUFFIX}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(part, path)  # fails where there is one, also over NFS
    finally:
        part.unlink(missing_ok=True)


def _read_key(path: Path) -> bytes:
    path.parent.chmod(0o700)
    path.chmod(0o600)
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError(
            f"{path} holds no key ({2 * KEY_BYTES} hexadecimal digits): put it back from your "
            "backup"
        )
    return key
