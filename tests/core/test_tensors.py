"""A disk that refuses tensors."""

import errno
import resource
import sys
from pathlib import Path

import pytest
import torch

from cinelex.core.tensors import save_tensors


def test_a_disk_that_refuses_tensors_raises_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # under a limit Python keeps the first part of what it compiles, and nobody could load that
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large") as refused:
            save_tensors({"weight": torch.zeros(4000)}, tmp_path / "weights")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.value.errno == errno.EFBIG
