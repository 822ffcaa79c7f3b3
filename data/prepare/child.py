"""What runs in the children: reading headers, hashing files, decoding cines into the store.

Every request has "items" and is answered once for each of them, and once more at the end, when what
was to be kept is on the disk.
"""

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from cinelex.core.serving import serve
from cinelex.data.dicom.errors import DicomError
from cinelex.data.dicom.inventory import DEFAULT_MODALITIES, ON_REQUEST, inspect
from cinelex.data.dicom.pixels import read_cine
from cinelex.data.dicom.record import FileRecord
from cinelex.data.dicom.sector import apply, find_sector
from cinelex.data.prepare.likeness import likeness
from cinelex.data.prepare.preview import preview
from cinelex.data.video.store_writer import StoreWriter

ALL = (*DEFAULT_MODALITIES, *ON_REQUEST)
"""Which modalities are wanted is decided later, so that a change of mind reads no header again."""
WAITS_S = (0.1, 0.5)
"""Before a file is asked for again of a disk or a network that failed."""
Request = dict[str, Any]
Answer = dict[str, Any]


def answers_to(request: Request) -> Iterator[Answer]:
    """Yield the answers to one request."""
    yield from TASKS[request["do"]](request)


def _inspect(request: Request) -> Iterator[Answer]:
    for item in request["items"]:
        yield _patiently(_header, Path(request["root"], item["path"]))
    yield {}


def _header(path: Path) -> Answer:
    return {"record": inspect(path, modalities=ALL).to_json()}


def _digest(request: Request) -> Iterator[Answer]:
    for item in request["items"]:
        yield _patiently(_content, Path(item["file"]), request["salt"])
    yield {}


def _content(path: Path, salt: str) -> Answer:
    return {"content": content_of(path, salt)}


def content_of(path: Path, salt: str) -> str:
    """Return the name of a file's bytes, which nobody without the key can make from the bytes."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return keyed(salt, digest)


def keyed(salt: str, data: bytes) -> str:
    """Return a name of some data under a secret."""
    return hmac.new(bytes.fromhex(salt), data, "sha256").hexdigest()[:40]


def _decode(request: Request) -> Iterator[Answer]:
    with StoreWriter(Path(request["store"]), part=request["part"]) as writer:
        for item in request["items"]:
            yield _patiently(_cine, Path(item["file"]), item, request, writer)
        yield _stored(writer.close)


def _cine(path: Path, item: dict[str, Any], request: Request, writer: StoreWriter) -> Answer:
    content = content_of(path, request["salt"])
    record = FileRecord.from_json(item["record"])
    try:
        cine = read_cine(path, record)
        sector = find_sector(cine, record)
        frames = apply(cine.frames, sector)
    except DicomError as error:
        return {"content": content, "reason": error.reason}
    key = keyed(request["salt"], f"{request['format']} {content}".encode())
    certain = sector.confidence >= request["min_confidence"] or content in request["approved"]
    refused = (
        _stored(lambda: writer.add(key, frames, times_ms=cine.frame_times_ms)) if certain else {}
    )
    if refused:
        return refused
    shown = b"" if sector.confidence >= request["min_confidence"] else preview(frames)
    return {
        "content": content,
        "reason": "",
        "stored": certain,
        "key": key,
        "frames": len(frames),
        "rows": frames.shape[1],
        "columns": frames.shape[2],
        "channels": frames.shape[3],
        "times_ms": cine.frame_times_ms,
        "pixels": keyed(request["salt"], _digest_of(frames)),
        "likeness": base64.b64encode(likeness(frames)).decode(),
        "confidence": sector.confidence,
        "source": sector.source,
        "doubt": sector.doubt,
        "doppler": sector.doppler,
        "preview": base64.b64encode(shown).decode(),
    }


def _digest_of(frames: UInt8[np.ndarray, "frame row column channel"]) -> bytes:
    digest = hashlib.sha256(str(frames.shape).encode())
    digest.update(np.ascontiguousarray(frames).data)
    return digest.digest()


def _patiently(answer: Callable[..., Answer], path: Path, *about: Any) -> Answer:
    """Return an answer about a file; what its disk refuses is asked for again after a while."""
    result = _safely(answer, path, *about)
    for wait_s in WAITS_S:
        reason = result.get("record", result).get("reason", "")
        if not ("errno" in result or reason == "unreadable") or not os.access(path, os.R_OK):
            break
        time.sleep(wait_s)
        result = _safely(answer, path, *about)
    return result


def _safely(answer: Callable[..., Answer], *about: Any) -> Answer:
    """Return an answer, or the number of the system's error."""
    try:
        return answer(*about)
    except MemoryError:
        return {"failure": "memory"}
    except OSError as error:
        return {"errno": error.errno or 0}


def _stored(write: Callable[[], None]) -> Answer:
    """Return why the store could not be written to; its whole shard is then gone."""
    try:
        write()
    except OSError as error:
        return {"store_errno": error.errno or 0}
    return {}


TASKS: dict[str, Callable[[Request], Iterator[Answer]]] = {
    "inspect": _inspect,
    "digest": _digest,
    "decode": _decode,
}

if __name__ == "__main__":
    serve(answers_to)
