"""Which keys of two configs differ, and which of these decide what a run's numbers are."""

from collections.abc import Sequence

from cinelex.config.schema import RunConfig
from cinelex.core.names import covered

OF_THE_MACHINE = (
    "folder",
    "device",
    "threads",
    "parallel",
    "compile",
    "hang_limit_s",
    "use_wandb",
    "data.cache",
    "data.workers",
)
"""Keys of where and with what a run is computed."""
MAY_CHANGE = (
    *OF_THE_MACHINE,
    "precision",
    "gradient_accumulation_steps",
    "activation_checkpointing",
    "strict_resume",
    "resume_skip",
    "checksum_every",
    "log_every",
    "probe_every",
    "examine",
    "keep_checkpoints",
    "evaluation",
    "data.inference_manifest",
    "eq.inference_file",
)
"""Keys and sections that a run may change when it goes on; the rest decides its numbers."""
PLACES = ("data.manifest", "data.video_root", "clipse.root", "eq.file")
"""Where the studies lie; what they are, the hash of the data says."""
MAX_NAMED = 8
"""Differing keys that a message spells out."""


def decisive(own: RunConfig, other: RunConfig) -> dict[str, str]:
    """Return each differing key that decides a run's numbers, and a line with both values."""
    found = differences(own.model_dump(mode="json"), other.model_dump(mode="json"))
    # the probes move the weights there
    measured = {"probe_every"} if own.balance.name == "shares" else set[str]()
    return {
        key: line for key, line in found.items() if key in measured or not covered(key, MAY_CHANGE)
    }


def differences(own: object, other: object, key: str = "") -> dict[str, str]:
    """Return each dotted key whose value differs, and a line with both values."""
    if isinstance(own, dict) and isinstance(other, dict):
        found: dict[str, str] = {}
        for name in sorted(own.keys() | other.keys()):
            inner = f"{key}.{name}" if key else str(name)
            found |= differences(own.get(name), other.get(name), inner)
        return found
    return {} if own == other else {key: f"{key}: {own} -> {other}"}


def listed(lines: Sequence[str]) -> str:
    """Return a few lines as one."""
    more = f"; and {len(lines) - MAX_NAMED} more" if len(lines) > MAX_NAMED else ""
    return "; ".join(lines[:MAX_NAMED]) + more
