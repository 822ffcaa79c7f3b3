"""Cines out of a store for good: the shards that hold them are written anew without them."""

from pathlib import Path
from secrets import token_hex
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from cinelex.core.files import write_whole
from cinelex.data.video.places import Place
from cinelex.data.video.store_index import (
    SCHEMA,
    Segment,
    merge_index,
    read_segments,
    write_index,
)


def keep_only(folder: Path, keys: Any) -> int:
    """Remove the cines whose key is none of ``keys``, and return how many there were.

    Whoever is ended on the way leaves no cine lost, and some to be removed by the next call. Who
    has the store open goes on reading what was there.

    Args:
        folder: The store.
        keys: An Arrow array of large strings.

    Raises:
        OSError: The disk refused.
    """
    removed = 0
    place = Place(folder)
    for segment in read_segments(place):
        kept = pc.is_in(segment.table["key"], value_set=keys).to_numpy()
        owner = segment.numbers("shard")
        for number in np.unique(owner[~kept]).tolist():
            _write_anew(place, segment, number, kept & (owner == number))
        removed += int((~kept).sum())
    if removed:
        merge_index(folder, least=1)  # the old index names what is gone
    return removed


def _write_anew(
    place: Place, segment: Segment, number: int, kept: Bool[np.ndarray, " row"]
) -> None:
    """Replace a shard by one with some of its cines, in the same order."""
    old = segment.shards[number]
    if kept.any():
        rows = segment.table.filter(pa.array(kept)).sort_by("offset")
        offsets, counts = rows["offset"].to_numpy(), rows["bytes"].to_numpy()
        whole = place.whole(old)
        parts = [whole[start : start + count] for start, count in zip(offsets, counts, strict=True)]
        stem, _, rest = old.rpartition("-")
        name = f"{stem}-{token_hex(8)}.{rest.rpartition('.')[2]}"
        write_whole(place.folder / name, np.concatenate(parts).data)
        for column, numbers in (("offset", np.cumsum(counts) - counts), ("shard", 0 * counts)):
            at = SCHEMA.get_field_index(column)
            cells = pa.array(numbers).cast(SCHEMA.field(at).type)
            rows = rows.set_column(at, SCHEMA.field(at), cells)
        write_index(place.folder, rows, [name])
    (place.folder / old).unlink(missing_ok=True)
