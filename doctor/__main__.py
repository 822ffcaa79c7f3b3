"""The doctor's commands. Started by scripts/doctor.sh."""

import sys
from collections.abc import Sequence

from cinelex.core.entry import CommandLine, command, guarded, prog
from cinelex.doctor import check, weights
from cinelex.doctor.claims import command as claims
from cinelex.doctor.logs import command as logs
from cinelex.doctor.predictions import command as predictions

COMMANDS = {
    "check": (check, "say what the rules find in the folder of a run"),
    "claims": (claims, "mark each number of a write-up as found in a run, or not, or differing"),
    "logs": (logs, "read exported logs and say which claims they support"),
    "predictions": (predictions, "ask what needs no training of a table that any system wrote"),
    "weights": (weights, "say each term's share of a run's gradient, and weights for other shares"),
}


def parser() -> CommandLine:
    """Return the command line."""
    made = CommandLine(prog=prog("doctor.sh"), description=__doc__)
    made.add_commands({name: (what, part.add_arguments) for name, (part, what) in COMMANDS.items()})
    return made


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return its exit code, 2 for bad input."""
    options = parser().parse_args(arguments)
    return COMMANDS[options.command][0].run(options)


if __name__ == "__main__":
    sys.exit(guarded(main))
