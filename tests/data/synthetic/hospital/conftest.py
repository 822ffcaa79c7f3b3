"""The truth about the small made-up hospital."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="session")
def files(hospital: Path) -> list[dict[str, Any]]:
    """Return the truth about every file."""
    return pq.read_table(hospital / "truth" / "files.parquet").to_pylist()


@pytest.fixture(scope="session")
def studies(hospital: Path) -> list[dict[str, Any]]:
    """Return the truth about every study."""
    return pq.read_table(hospital / "truth" / "studies.parquet").to_pylist()


@pytest.fixture(scope="session")
def reports(hospital: Path) -> list[dict[str, Any]]:
    """Return the truth about every row of the file of reports."""
    return pq.read_table(hospital / "truth" / "reports.parquet").to_pylist()
