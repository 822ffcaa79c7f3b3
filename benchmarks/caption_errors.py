"""What every score of a caption says of captioners that err in one known way.

python -m benchmarks.caption_errors; writes into docs/why/text-metrics.md in half a minute.
"""

import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.doctor_document import table, write_between
from cinelex.core.console import say
from cinelex.core.randomness import numpy_generator
from cinelex.data.synthetic.cines.findings import PERCENTS, SEGMENTS, Findings
from cinelex.data.synthetic.cines.plan import plan_studies
from cinelex.data.synthetic.cines.reports import write_report
from cinelex.data.synthetic.cines.settings import StudySetSettings
from cinelex.data.synthetic.cines.wording import severity_of
from cinelex.metrics.baselines import constant_normal_caption, shuffled
from cinelex.metrics.captions import caption_counts, caption_scores
from cinelex.metrics.fact_schemes import FACT_SCHEMES
from cinelex.metrics.text import ChrF, Distinct

DOCUMENT = Path("docs/why/text-metrics.md")
STUDIES, FACTS = 300, FACT_SCHEMES["coronary"]
_NUMBER = re.compile(r"~?(\d+) ?(?:%|percent)")
Change = Callable[[Findings, np.random.Generator], Findings]


def other_percent(findings: Findings, draw: np.random.Generator) -> Findings:
    """Return the same lesions, each with a percentage drawn as if nothing were known."""
    drawn = {name: int(draw.choice(PERCENTS)) for name in findings.lesions}
    return replace(findings, lesions=drawn)


def other_segments(findings: Findings, draw: np.random.Generator) -> Findings:
    """Return the same percentages, each in a segment that is healthy."""
    free = [name for name in SEGMENTS if name not in findings.lesions]
    chosen = draw.permutation(free)[: len(findings.lesions)]
    return replace(
        findings,
        lesions=dict(zip(map(str, chosen), findings.lesions.values(), strict=True)),
    )


def in_words(report: str) -> str:
    """Return a report in which each percentage is its word, such as severe."""
    return _NUMBER.sub(lambda found: severity_of(int(found[1])), report)


def captioners(studies: int = STUDIES, seed: int = 0) -> tuple[list[str], dict[str, list[str]]]:
    """Return reports, and by the name of a captioner what it writes of the same studies.

    A captioner that errs in a fact says all else in the words of the report.
    """
    settings = StudySetSettings(
        train_studies=studies, val_studies=0, test_studies=studies, seed=seed
    )
    plans = plan_studies(settings)
    train = [plan.report for plan in plans if plan.split == "train"]
    truth = [plan.findings for plan in plans if plan.split == "test"]

    def written(change: Change | None = None, words: str = "words") -> list[str]:
        draw = numpy_generator(seed, "errors")
        changed = [change(one, draw) for one in truth] if change else truth
        keys = range(len(truth))
        return [
            write_report(one, numpy_generator(seed, words, key))
            for one, key in zip(changed, keys, strict=True)
        ]

    reports = written()
    return reports, {
        "the truth in other words": written(words="other words"),
        "right segments, random %": written(other_percent),
        "right %, wrong segments": written(other_segments),
        "severity words, no %": [in_words(report) for report in reports],
        "another patient's report": shuffled(reports, seed=seed),
        "always normal": [constant_normal_caption(train)] * len(reports),
    }


def scores(reports: Sequence[str], captions: Sequence[str]) -> dict[str, float]:
    """Return every score of captions of coronary reports."""
    told = {"predictions": list(captions), "references": list(reports)}
    found = caption_scores(caption_counts(reports, captions, FACTS).sum(axis=0), FACTS)
    return {
        **{name: float(value) for name, value in found.items()},
        **ChrF().compute(**told),
        **Distinct().compute(**told),
    }


def main() -> int:
    """Measure, say and write the table."""
    reports, written = captioners()
    columns = {name: scores(reports, captions) for name, captions in written.items()}
    names = list(next(iter(columns.values())))
    rows = [[f"`{name}`", *(_cell(of[name]) for of in columns.values())] for name in names]
    text = table(["score", *columns], rows)
    write_between("caption errors", text, document=DOCUMENT)
    say(text)
    return 0


def _cell(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
