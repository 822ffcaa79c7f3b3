"""Print the part of a lock that the core and some extras need; runs without any package.

    python3 scripts/lock_part.py requirements.lock pyproject.toml dicom sweep

``all`` means every extra. The lock says behind each package what wants it (``# via``), and that is
followed from the extras of the project down.
"""

import argparse
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path


def normal(requirement: str) -> str:
    """Return the name that a requirement asks for, as a lock spells it."""
    return re.split(r"[<>=!~;\[ ]", requirement)[0].lower().replace("_", "-")


def part_of(lock: str, roots: Iterable[str]) -> str:
    """Return the entries of ``lock`` that ``roots`` need, directly or by what they need."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    named = [(normal(entry), entry) for entry in entries]  # one name may have an entry a Python
    names = {name for name, _ in named}
    wanted_by: dict[str, set[str]] = defaultdict(set)
    for name, entry in named:
        said = entry.partition("# via")[2].replace("#", "").split("\n")
        for line in said:
            if line.strip():
                wanted_by[normal(line.strip())].add(name)
    found: set[str] = set()
    ahead = [root for root in map(normal, roots) if root in names]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += wanted_by[name]
    return "\n".join(entry for name, entry in named if name in found) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="lock_part.py", description=__doc__)
    parser.add_argument("lock", help="requirements.lock")
    parser.add_argument("pyproject", help="pyproject.toml")
    parser.add_argument("extras", nargs="*", help="names of extras, or all")
    options = parser.parse_args(arguments)
    project = tomllib.loads(Path(options.pyproject).read_text(encoding="utf-8"))["project"]
    of_extras, extras = project["optional-dependencies"], options.extras
    chosen = of_extras.keys() if "all" in extras else [*extras, "setup"]
    unknown = sorted(set(chosen) - of_extras.keys())
    if unknown:
        sys.stderr.write(f"error: no extra {unknown[0]}; there are {', '.join(of_extras)}\n")
        return 2
    roots = [*project["dependencies"], *(line for name in chosen for line in of_extras[name])]
    sys.stdout.write(part_of(Path(options.lock).read_text(encoding="utf-8"), roots))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
