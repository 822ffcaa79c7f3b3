"""List, verify and prune the cache of decoded frames."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from cinelex.core.entry import CommandLine, command, prog
from cinelex.core.errors import UserError
from cinelex.core.exit_codes import SICK
from cinelex.core.files import read_json
from cinelex.data.video.decode import VIDEO_ERRORS
from cinelex.data.video.frame_store import FrameStore
from cinelex.data.video.ingest import SETTINGS
from cinelex.data.video.known_files import KnownFiles
from cinelex.data.video.removal import keep_only
from cinelex.data.video.store_index import PREFIX, unused_files

DAY_S = 86_400
DIGEST_LENGTH = 32
"""Characters of the key of a prepared cine; that of a video file is twice as long."""
EARLIER = "store.json"
"""What stands in the folders of versions that kept a store for each set of videos."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    commands = parser.add_subparsers(dest="what", required=True)
    for name, (_, what) in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument(
            "folder", type=Path, nargs="?", default=Path("cache"), help="data.cache or one store"
        )
        if name == "prune":
            command.add_argument(
                "--unused-days",
                type=float,
                help="also remove stores unread for so long",
            )
            command.add_argument(
                "--prepared",
                type=Path,
                nargs="+",
                metavar="DATASET/store",
                help="also remove cines that none of these prepared data sets contains any more",
            )


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return its exit code."""
    folder: Path = options.folder
    indexes = {path.parent for path in folder.glob(f"**/{PREFIX}*")}
    stores = sorted(indexes | {path.parent for path in folder.glob(f"**/{SETTINGS}")})
    earlier = sorted(path.parent for path in folder.glob(f"**/{EARLIER}") if _is_earlier(path))
    if not stores and not earlier:
        raise UserError(f"{folder}: no store of frames; name the folder that data.cache is")
    return COMMANDS[options.what][0](stores, earlier, options)


def show(stores: Sequence[Path], earlier: Sequence[Path], _: argparse.Namespace) -> int:
    """Write a line a store."""
    for folder in stores:
        unused = (time.time() - _last_used(folder)) / DAY_S
        _write(
            f"{folder}: {len(FrameStore(folder)):,} entries, {_bytes(folder) / 1e9:.2f} GB, "
            f"{_describe(folder)}; unused for {unused:.0f} days"
        )
    for folder in earlier:
        _write(f"{folder}: {_bytes(folder) / 1e9:.2f} GB, of an earlier version; prune removes it")
    return 0


def verify(stores: Sequence[Path], _: Sequence[Path], __: argparse.Namespace) -> int:
    """Read everything and name what is not what was written; 1 where there is such."""
    sick = False
    for folder in stores:
        store = FrameStore(folder)
        damaged = store.verify()
        sick |= bool(damaged)
        _write(f"{folder}: {len(store):,} entries, {len(damaged)} damaged shards")
        for shard in damaged:
            _write(f"  {store.path(shard)}: damaged; delete it, and what it held is made again")
    return SICK if sick else 0


def prune(stores: Sequence[Path], earlier: Sequence[Path], options: argparse.Namespace) -> int:
    """Remove what nobody reads."""
    freed = 0
    sources = [FrameStore(folder) for folder in options.prepared or []]
    if not all(len(source) for source in sources):
        raise UserError("--prepared: no cine in one of them; name the store of a data set")
    for folder in stores:
        unused = time.time() - _last_used(folder)
        derived = (folder / SETTINGS).exists()  # from videos, and can be made again
        if derived and options.unused_days is not None and unused > options.unused_days * DAY_S:
            freed += _remove(folder)
            continue
        if derived and sources:
            freed += _withdraw(folder, sources)
        for path in unused_files(folder):
            freed += _remove(path)
    freed += sum(_remove(folder) for folder in earlier)
    _write(f"{freed / 1e9:.2f} GB freed")
    return 0


def retry(stores: Sequence[Path], _: Sequence[Path], __: argparse.Namespace) -> int:
    """Forget what was refused, so that the next run tries it again."""
    forgotten = sum(KnownFiles(folder).forget(frozenset(VIDEO_ERRORS)) for folder in stores)
    _write(f"{forgotten} videos will be tried again by the next run that names them")
    return 0


Command = Callable[[Sequence[Path], Sequence[Path], argparse.Namespace], int]
COMMANDS: dict[str, tuple[Command, str]] = {
    "list": (show, "list all stores: contents, size and when each was last read"),
    "verify": (verify, "read all frames and report damaged shards; exit code 1 if any"),
    "prune": (prune, "remove leftovers of dead processes, and stores of earlier versions"),
    "retry": (retry, "forget rejected videos, so that the next run tries them again"),
}


def _is_earlier(path: Path) -> bool:
    seal = read_json(path)
    return isinstance(seal, dict) and {"content", "settings", "shards"} <= seal.keys()


def _describe(folder: Path) -> str:
    if not (folder / SETTINGS).exists():
        return "prepared cines"
    settings = read_json(folder / SETTINGS)
    if "features" in settings:
        return "what a frozen tower made of clips or reports"
    shape, most = settings["shape"], settings["stored_frames"]
    frames = "all frames" if most is None else f"up to {most} frames"
    kind = "gray" if shape["channels"] == 1 else "RGB"
    return f"{frames} of {shape['size']} pixels, {kind}, by {settings['backend']}"


def _withdraw(folder: Path, sources: Sequence[FrameStore]) -> int:
    """Remove the prepared cines that no source has; return the bytes."""
    before = _bytes(folder)
    there = (source.digests(np.arange(len(source))) for source in sources)
    digests = {row.tobytes().hex() for rows in there for row in rows}
    keys = FrameStore(folder).keys.to_pylist()
    kept = [key for key in keys if len(key) != DIGEST_LENGTH or key in digests]
    keep_only(folder, pa.array(kept, pa.large_string()))
    return before - _bytes(folder)


def _last_used(folder: Path) -> float:
    """Return when a run last read a store, in seconds of the epoch."""
    marks = [path for path in (folder / SETTINGS, folder) if path.exists()]
    return marks[0].stat().st_mtime


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _remove(path: Path) -> int:
    """Remove a file or a folder; return its bytes."""
    with suppress(FileNotFoundError):
        freed = _bytes(path) if path.is_dir() else path.stat().st_size
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        return freed
    return 0


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = CommandLine(prog=prog("cinelex cache"), description=__doc__)
    add_arguments(made)
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return its exit code, 2 for bad input."""
    return run(parser().parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
