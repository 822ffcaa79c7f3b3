"""The command ``cinelex`` of an installed package: each script by its name."""

import sys
from collections.abc import Sequence

from cinelex.core import entry

COMMANDS = {
    "run": ("cinelex.scripts.main", "run one config, as scripts/runner.sh does in one process"),
    "cache": ("cinelex.scripts.cache", "list, verify, prune or retry decoded frames"),
    "doctor": ("cinelex.doctor.__main__", "ask the doctor about a run, logs or a write-up"),
}
"""Loaded when they are asked for: some take seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand the rest of the command line to the script that its first word names."""
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments), ""]
    if name not in COMMANDS:
        asked = name in ("-h", "--help")
        lines = [f"  {command:<8}{what}" for command, (_, what) in COMMANDS.items()]
        usage = "\n".join(["usage: cinelex COMMAND …", *lines]) + "\n"
        (sys.stdout if asked else sys.stderr).write(usage)
        return 0 if asked else 2
    module, _ = COMMANDS[name]
    return entry.main([module, *rest[:-1]])


if __name__ == "__main__":
    sys.exit(main())
