"""Every rule asked about a run, before its first step, on its way, or after its last.

``bash scripts/doctor.sh check runs/multitask --reference runs/baseline``
"""

import argparse
import sys
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.exit_codes import SICK
from cinelex.doctor.alerts import alert
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, as_json, is_sick, summary, worst_first
from cinelex.doctor.rules import RULES
from cinelex.doctor.rules.resume import STEPS_MADE_AGAIN
from cinelex.doctor.run_files import RunFiles, read_begun


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return what all rules find, worst first; a rule without its evidence finds nothing."""
    return worst_first(finding for rule in RULES for finding in rule.findings(evidence))


def diagnose_run(run: RunFiles, *, reference: RunFiles | None = None) -> list[Finding]:
    """Return what all rules find in a run's folder, worst first.

    What the run itself found as it was resumed is among it: its record has only the later steps.

    Args:
        run: The run.
        reference: Another one, whose results these are compared with.
    """
    found = diagnose(run.evidence(reference=reference))
    said = {finding.statement for finding in found}
    again = [one for one in run.findings if one.rule == STEPS_MADE_AGAIN.id]
    return worst_first([*found, *(one for one in again if one.statement not in said)])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--reference",
        type=Path,
        metavar="OTHER",
        help="folder of another run: were these results copied from it and rescaled?",
    )
    parser.add_argument("--json", action="store_true", help="findings as JSON, for machines")


def run(options: argparse.Namespace) -> int:
    """Say every finding, worst first; return 1 if one is an error, else 0.

    Raises:
        UserError: A folder does not exist, or a file in it is broken.
    """
    reference = read_begun(options.reference) if options.reference else None
    checked = read_begun(options.run_folder)
    if checked.config_error:
        sys.stderr.write(f"{checked.config_error}; rules that ask for the config are silent\n")
    findings = diagnose_run(checked, reference=reference)
    alert(options.run_folder.name, findings)
    say(as_json(findings) if options.json else summary(findings))
    return SICK if is_sick(findings) else 0
