"""Defects found in other systems, put back into this one for as long as a run takes.

Their numbers are the rows of the table of pitfalls from which the project began.
"""

from benchmarks.doctor_document import Defect
from benchmarks.second_defects import SECOND_DEFECTS
from benchmarks.starting_defects import STARTING_DEFECTS
from benchmarks.training_defects import TRAINING_DEFECTS

DEFECTS: tuple[Defect, ...] = tuple(
    sorted(
        (*STARTING_DEFECTS, *TRAINING_DEFECTS, *SECOND_DEFECTS),
        key=lambda defect: (defect.rule[0], int(defect.rule[1:])),
    )
)
"""In the order of their rules."""
