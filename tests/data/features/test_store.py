"""Features by key: what is written is found again, and what was not closed is not."""

from pathlib import Path

import pytest
import torch

from cinelex.data.features.clips import distinct
from cinelex.data.features.store import FeatureStore, FeatureWriter, clip_key, text_key


def test_features_come_back_and_missing_keys_are_named(tmp_path: Path) -> None:
    rows = torch.randn(3, 5)

    def ended_early() -> None:
        with FeatureWriter(tmp_path, precision="fp32") as writer:
            writer.add("a", rows)
            writer.close()
            writer.add("b", rows)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ended_early()
    store = FeatureStore(tmp_path, precision="fp32")
    assert store.missing(["b", "a", "c"]) == ["b", "c"]
    assert torch.equal(store.read("a"), rows)
    with pytest.raises(KeyError):
        store.read("b")


def test_half_the_bytes_keep_three_digits(tmp_path: Path) -> None:
    rows = torch.randn(2, 7)
    with FeatureWriter(tmp_path, precision="bf16") as writer:
        writer.add("a", rows)
    read = FeatureStore(tmp_path, precision="bf16").read("a")
    assert read.dtype == torch.float32
    torch.testing.assert_close(read, rows, atol=0, rtol=2**-8)


def test_keys_tell_frames_cuts_and_texts_apart() -> None:
    keys = {clip_key(b"x", [0, 1]), clip_key(b"x", [1, 0]), clip_key(b"y", [0, 1])}
    keys |= {text_key(torch.tensor([0, 1])), text_key(torch.tensor([0, 1, 0]))}
    assert len(keys) == 5
    assert clip_key(b"x", [0, 1]) == clip_key(b"x", (0, 1))


def test_a_cut_counts_once() -> None:
    assert distinct([[0, 2], [1, 3], (0, 2)]) == [[0, 2], [1, 3]]
