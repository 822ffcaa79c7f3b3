"""All benchmarks that print a ratio, one after the other, into a table and a file of numbers.

    python -m benchmarks [--quick]

Each runs in a process of its own and can be run alone. The table goes between two marks of
``benchmarks/results.md``, the numbers to ``benchmarks/results.json``.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.series import Ratio, Row, line, machine

BENCHMARKS = (
    "reading",
    "contrastive_loss",
    "vocabulary",
    "steps",
    "search",
    "text_metrics",
    "checkpoints",
    "manifest_rows",
    "growth",
    "long_run",
)
HERE = Path(__file__).parent
BEGIN, END = "<!-- python -m benchmarks -->", "<!-- the end of that table -->"
HEAD = "| | what | here | beside | ratio (of all rounds) | goal |\n|---|---|---|---|---|---|"


def measure(name: str, folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """Run one benchmark and return its rows; none where it failed, which it has said."""
    kept = folder / f"{name}.json"
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(kept)]
    begun, pinned = time.monotonic(), {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    words = [*command, *(["--quick"] if quick else [])]
    done = subprocess.run(words, check=False, env=pinned)
    sys.stderr.write(f"benchmarks.{name}: {time.monotonic() - begun:.0f} s\n")
    if done.returncode:
        sys.stderr.write(f"benchmarks.{name} failed; the others go on\n")
        return []
    rows: list[dict[str, Any]] = json.loads(kept.read_text())
    return rows


def keep(rows: list[dict[str, Any]], about: str) -> None:
    """Write both files; what stands outside the marks of the page stays."""
    kept = {"machine": about, "rows": rows}
    (HERE / "results.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    table = [line(row_of(row)) for row in rows]
    page = (HERE / "results.md").read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    text = "\n".join([BEGIN, "", about + ".", "", HEAD, *table, "", END])
    (HERE / "results.md").write_text(before + text + after)


def row_of(kept: dict[str, Any]) -> Row:
    """Return a row from what its benchmark kept."""
    plain = {name: value for name, value in kept.items() if name not in ("met", "ratio")}
    return Row(**plain, ratio=Ratio(*kept["ratio"]))


def main() -> int:
    """Measure all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--only", choices=BENCHMARKS, help="one of them, nothing is written")
    asked = parser.parse_args()
    names = [asked.only] if asked.only else BENCHMARKS
    with TemporaryDirectory() as folder:
        found = {name: measure(name, Path(folder), quick=asked.quick) for name in names}
    rows = sorted((row for each in found.values() for row in each), key=_place)
    if asked.only is None:
        keep(rows, machine() + (", smaller sizes (--quick)" if asked.quick else ""))
    return 0 if all(found.values()) else 1


def _place(row: dict[str, Any]) -> int:
    return int(row["number"].removeprefix("P"))


if __name__ == "__main__":
    sys.exit(main())
