"""Files that are whole or not there."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.core.files import (
    PART_SUFFIX,
    hash_file,
    hash_json,
    read_json,
    write_json,
    write_whole,
)
from cinelex.core.provenance import PACKAGE


def test_bytes_and_text_arrive_whole_and_nothing_else_does(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "a.bin", b"\x00\xff")
    write_whole(tmp_path / "new" / "b.txt", "é\n")
    assert (tmp_path / "new" / "a.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "new" / "b.txt").read_bytes() == "é\n".encode()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.bin", "b.txt"]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_failure_keeps_the_old_file_and_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if broken == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"b": [1, 2.5, None, True], "a": "é"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value


def test_json_without_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"value": float("nan")})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "no such file"),
        (b"[" * 100_000, "nested"),
        (b'{"a":\n x}', "line 2, column 2"),
        (b"\xff", "byte 0"),
    ],
)
def test_a_file_that_is_not_json_is_named(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "a.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=complaint) as raised:
        read_json(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_hashes_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert hash_file(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()
    assert hash_json({"a": 1, "b": [2]}) == hashlib.sha256(b'{"a":1,"b":[2]}').hexdigest()


def test_a_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert hash_json({"a": 1, "b": 2}) == hash_json({"b": 2, "a": 1})
    assert hash_json({"a": 1}) != hash_json({"a": 1.5})


KILL_AFTER = """
import os, signal, sys
from pathlib import Path
from cinelex.core.files import hash_file, hash_json, read_json
from cinelex.core.files import write_json, write_whole

real = {call}

def killed(*arguments, **options):
    if {before}:
        os.kill(os.getpid(), signal.SIGKILL)
    real(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)

{call} = killed
write_whole(Path(sys.argv[1]), "new")
"""


@pytest.mark.parametrize(
    ("call", "before", "survives"),
    [
        ("os.fsync", True, "old"),
        ("os.fsync", False, "old"),
        ("Path.replace", True, "old"),
        ("Path.replace", False, "new"),
    ],
)
def test_a_kill_at_any_point_leaves_a_whole_file(
    tmp_path: Path, call: str, before: bool, survives: str
) -> None:
    path = tmp_path / "a.json"
    write_whole(path, "old")
    script = KILL_AFTER.format(call=call, before=before)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=PACKAGE.parent, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == survives
    others = {other.suffix for other in tmp_path.iterdir() if other != path}
    assert others <= {PART_SUFFIX}, "what is left over can be told"


def test_what_cannot_be_read_as_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_json(tmp_path)
