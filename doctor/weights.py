"""The command ``doctor weights``: each term's share of the gradient, and weights for other shares.

``bash scripts/doctor.sh weights runs/multitask contrastive=0.5 captioning=0.5``
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from cinelex.core.console import say
from cinelex.core.errors import UserError
from cinelex.doctor.balance import Balance, balance, suggested_weights
from cinelex.doctor.run_files import read_begun


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="TERM=SHARE",
        help="wanted share of each term, in any unit; default: the same for all",
    )


def run(options: argparse.Namespace) -> int:
    """Say the shares over the newest probes, and the weights that would change them; return 0.

    Raises:
        UserError: The run has no probes of several terms, or the targets do not fit its terms.
    """
    evidence = read_begun(options.run_folder).evidence()
    found = balance(evidence)
    if found is None:
        raise UserError(
            f"{options.run_folder}: no step was probed, or only one loss term has a gradient; "
            "set probe_every above 0 and train more than one term"
        )
    weights = {term: evidence.newest(f"weight/{term}") or 0.0 for term in found.norms}
    target = targets(options.targets, found)
    norms = {term: found.norms[term].value for term in target}
    advice = suggested_weights(norms, target, total=sum(weights.values()) or 1.0)
    say(f"gradient at the shared block, median of {found.probes} probes [95 % interval]")
    for term, share in found.shares.items():
        interval = f"[{100 * share.low:.1f}, {100 * share.high:.1f}]"
        say(
            f"{term}: weight {weights[term]:.3g}, share {100 * share.value:.1f} % {interval}; "
            f"for {100 * target.get(term, 0):.1f} %: loss_weights.{term}={advice.get(term, 0):.3g}"
        )
    say("Norms change with the weights: ask again after 50 more probes.")
    return 0


def targets(texts: Sequence[str], found: Balance) -> Mapping[str, float]:
    """Return the wanted share of each term, of a sum of 1; a term that is not named gets none.

    Raises:
        UserError: A text is no ``TERM=SHARE``, a term is not the run's or has no gradient, or a
            share is not a positive number.
    """
    moved = [term for term, norm in found.norms.items() if norm.value > 0]
    shares = {term: 1.0 for term in moved} if not texts else dict(map(_parsed, texts))
    wrong = sorted(shares.keys() - set(moved))
    if wrong or not moved:
        raise UserError(f"{', '.join(wrong)}: no term with a gradient; there are {moved}")
    return {term: share / sum(shares.values()) for term, share in shares.items()}


def _parsed(text: str) -> tuple[str, float]:
    term, _, number = text.partition("=")
    try:
        share = float(number)
    except ValueError:
        share = math.nan
    if not 0 < share < math.inf:
        raise UserError(f"{text}: not a TERM=SHARE with a share above 0, such as captioning=0.3")
    return term, share
