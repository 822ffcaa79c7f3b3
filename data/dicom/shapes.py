"""How places in the picture of a cine are said; known without a reader of headers."""

Box = tuple[int, int, int, int]
"""Top, left, bottom, right; the last two are the first outside."""
Region = tuple[int, int, int, int, int]
"""A box, and what it shows: RegionDataType."""
Shutter = tuple[str, tuple[int, ...]]
"""("rectangle", box), ("circle", (row, column, radius)) or ("polygon", (row, column, row, …))."""
