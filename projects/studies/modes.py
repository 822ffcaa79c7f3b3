"""What a trained model of studies can be used for, by ``--run_mode``."""

from cinelex.core.later import later
from cinelex.projects.interface.project import RunMode

MERGE = RunMode(
    help="write the pretrained towers, with their adapters merged",
    run=later("cinelex.projects.studies.merging:merge"),
)

STUDY_MODES = {
    "inference": RunMode(
        help="describe studies that need no report",
        run=later("cinelex.projects.studies.tables:describe"),
    ),
    "embed": RunMode(
        help="write the embeddings of studies, clips and reports",
        run=later("cinelex.projects.studies.tables:embed"),
    ),
    "merge": MERGE,
}
"""What any trained model of studies and reports can be used for."""
