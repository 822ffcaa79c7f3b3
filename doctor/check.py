"""Every rule asked about a run, before its first step, on its way, or after its last."""

from cinelex.config.schema import RunConfig
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, worst_first
from cinelex.doctor.rules import RULES
from cinelex.doctor.rules.resume import STEPS_MADE_AGAIN
from cinelex.doctor.run_files import RunFiles


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


def check_before_training(config: RunConfig) -> list[Finding]:
    """Return the findings of the rules that need nothing but the config, worst first."""
    return diagnose(Evidence(config=config))
