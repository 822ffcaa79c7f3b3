"""Every rule asked about a run, before its first step, on its way, or after its last."""

from cinelex.config.schema import RunConfig
from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, worst_first
from cinelex.doctor.rules import RULES


def diagnose(evidence: Evidence) -> list[Finding]:
    """Return what all rules find, worst first; a rule without its evidence finds nothing."""
    rules = [rule for several in RULES.values() for rule in several]
    return worst_first(finding for rule in rules for finding in rule(evidence))


def check_before_training(config: RunConfig) -> list[Finding]:
    """Return the findings of the rules that need nothing but the config, worst first."""
    return diagnose(Evidence(config=config))
