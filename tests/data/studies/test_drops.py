"""What is done about videos that were refused."""

from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.studies.drops import check_rejects


def test_rejects_are_written_and_too_many_stop_the_run(tmp_path: Path) -> None:
    def check(error: str, limit: float) -> None:
        check_rejects(
            [("s,0", "a.mp4", error)],
            videos=100,
            limit=limit,
            path=tmp_path / "rejects.csv",
            store=str(tmp_path),
        )

    check("VideoCorrupt", 0.01)
    lines = (tmp_path / "rejects.csv").read_text().splitlines()
    assert lines == ["study_id,video,error", '"s,0",a.mp4,VideoCorrupt']
    with pytest.raises(UserError, match=r"1 of 100 videos were refused \(1 VideoCorrupt\)"):
        check("VideoCorrupt", 0.009)
    with pytest.raises(UserError, match=f"scripts/cache.sh retry {tmp_path}"):
        check("VideoTimeout", 0.009)
