"""A made-up study set with exact truth: coronary cines and reports, written as ordinary files."""

from data.synthetic.findings import SEGMENTS, Findings, draw_findings
from data.synthetic.plan import StudyPlan, counterfactual, plan_studies
from data.synthetic.reports import write_report
from data.synthetic.settings import StudySetSettings
from data.synthetic.study_set import make_study_set, study_set_folder, write_study

__all__ = [
    "SEGMENTS",
    "Findings",
    "StudyPlan",
    "StudySetSettings",
    "counterfactual",
    "draw_findings",
    "make_study_set",
    "plan_studies",
    "study_set_folder",
    "write_report",
    "write_study",
]
