"""Tables that others read: a row a sample as CSV, and embeddings with their hashes as Parquet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinelex.core.distributed import is_main
from cinelex.core.files import write_whole
from cinelex.projects.interface.project import Request

Columns = Mapping[str, Any]
"""By their names; of one length."""


def write_csv(table: Columns | Sequence[Columns], request: Request) -> Path:
    """Write ``predictions/inference.csv``, of columns or of rows; the main rank does."""
    path = request.folder / "predictions" / "inference.csv"
    if is_main():
        from pandas import DataFrame  # here, because it takes a second

        write_whole(path, DataFrame(table).to_csv(index=False))
    return path


def write_embeddings(
    tables: Sequence[Columns], request: Request, *, data_hash: str | None = None
) -> Path:
    """Write ``embeddings.parquet``, whose metadata holds the hashes; the main rank does.

    Args:
        tables: One below the other; where a column is a matrix, each row of it is a vector.
        request: Where to, and the hashes.
        data_hash: Of what is embedded, where it is not the run's own.
    """
    hashes = {**request.provenance, **({"data": data_hash} if data_hash else {})}
    path = request.folder / "embeddings.parquet"
    if is_main():
        import pyarrow as pa  # here, because it takes a while
        import pyarrow.parquet as pq

        def column(values: Any) -> Any:
            if not isinstance(values, np.ndarray) or values.ndim == 1:
                return pa.array(values)
            flat = pa.array(values.reshape(-1), pa.float32())
            return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])

        whole = pa.concat_tables(
            pa.table({name: column(values) for name, values in one.items()}) for one in tables
        )
        sink = pa.BufferOutputStream()
        pq.write_table(whole.replace_schema_metadata(hashes), sink)
        write_whole(path, sink.getvalue().to_pybytes())
    return path
