"""A disk that takes nothing is one line, before the work where that can be known."""

import errno
from pathlib import Path

import pytest

from cinelex.core.entry import command
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import BAD_INPUT
from cinelex.core.folders import check_writable


def failing(number: int) -> int:
    """Fail as a write does."""
    raise OSError(number, "of the disk", "/data/Jane Doe/a.mp4")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_that_is_full_is_said_without_a_path(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(failing)(number) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: the disk takes no more (of the disk); make room")
    assert "Doe" not in line


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN])
def test_a_disk_that_fails_is_said_without_a_path(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(failing)(number) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: a disk, or a folder on the network, fails (of the disk); start")
    assert "Doe" not in line


def test_another_error_of_the_system_keeps_its_traceback() -> None:
    with pytest.raises(OSError, match="of the disk"):
        command(failing)(errno.EBADF)


def test_a_folder_that_takes_nothing_is_named_with_its_key(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "deep", "--out")
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot be written to \(Not a directory\); set --out to"):
        check_writable(tmp_path / "file" / "below", "--out")


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.ELOOP])
def test_a_path_that_no_disk_has_is_one_line(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(failing)(number) == BAD_INPUT
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: a path that was given leads nowhere (of the disk)")
    assert "Doe" not in line
