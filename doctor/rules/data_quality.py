"""D9: do the studies say what a split, a negative and a video must say?"""

from collections.abc import Iterator
from dataclasses import dataclass

from cinelex.doctor.evidence import Evidence
from cinelex.doctor.finding import Finding, Severity

RULE = "D9"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The most that a fact about the data may be, and what to say where it is more."""

    most: float
    severity: Severity
    statement: str
    """With a place for the value in percent, or as it is, or for the share of duplicates."""
    null: str
    cause: str
    key: str
    remedy: str


LIMITS: dict[str, Limit] = {
    "data/held_out_of_training_patients": Limit(
        most=0.0,
        severity="error",
        statement="{share:.1f} % of the held-out studies are of a patient who is trained on.",
        null="0 where patients were split, not studies",
        cause="The split was drawn over studies.",
        key="data.columns.split",
        remedy="give all studies of a patient the same split.",
    ),
    "data/held_out_with_training_videos": Limit(
        most=0.0,
        severity="error",
        statement="{share:.1f} % of the held-out studies have a video that is trained on.",
        null="0: no file is in two splits",
        cause="A study was entered twice under two ids.",
        key="data.manifest",
        remedy="drop one of the two.",
    ),
    "data/same_report_in_batch": Limit(
        most=0.1,
        severity="warning",
        statement=(
            "{value:.2f} other studies of a batch have the same report as any one, on average, and "
            "{duplicates:.1f} % of the training studies share theirs with another."
        ),
        null="0 where every report is said once; a loss that takes them for negatives cannot "
        "fall below the mean logarithm of their number",
        cause="Reports are templates, or are copied from visit to visit.",
        key="contrastive",
        remedy="keep identical reports as positives, and expect a floor above 0.",
    ),
    "data/duplicate_reports": Limit(
        most=0.2,
        severity="note",
        statement="{share:.1f} % of the training studies share their report with another.",
        null="0 where every report is said once; whoever scores them as different cannot reach "
        "R@1 = 1",
        cause="Reports are templates, or are copied from visit to visit.",
        key="data.manifest",
        remedy="nothing; retrieval is scored against unique reports.",
    ),
    "data/same_label_in_batch": Limit(
        most=0.5,
        severity="note",
        statement=(
            "{value:.2f} other images of a batch have the label of any one, on average: plain "
            "InfoNCE has as many false negatives a row."
        ),
        null="0 where every image is of another thing",
        cause="Things are shown several times, in other pixels and other words.",
        key="clipse.negatives",
        remedy="compare a variant that weighs negatives by how alike they are.",
    ),
    "data/constant_videos": Limit(
        most=0.0,
        severity="error",
        statement="{share:.1f} % of the videos are one constant value: they show nothing.",
        null="0: an absent view is left out, never replaced",
        cause="Videos that failed to decode, or views that are missing, were filled with zeros.",
        key="data.manifest",
        remedy="drop the rows of these videos.",
    ),
    "data/repeated_videos": Limit(
        most=0.02,
        severity="warning",
        statement="{share:.1f} % of the videos look like a video of another study.",
        null="0 where every study was filmed",
        cause="The same cine stands under several studies, or placeholders fill missing views.",
        key="data.manifest",
        remedy="keep each cine with one study.",
    ),
    "data/single_video_studies": Limit(
        most=0.5,
        severity="warning",
        statement="{share:.1f} % of the studies have one video.",
        null="0 in a complete set; with one video there is nothing to aggregate",
        cause="Videos were lost on the way, or each video was entered as a study.",
        key="data.columns.study",
        remedy="name the column that joins the videos of a study.",
    ),
    "data/short_videos": Limit(
        most=0.1,
        severity="warning",
        statement="{share:.1f} % of the videos have fewer frames than a clip and repeat some.",
        null="0 where every clip shows as many moments as it has frames",
        cause="data.frames exceeds the length of these videos.",
        key="data.frames",
        remedy="lower it to the length of the shorter videos.",
    ),
    "data/order_repeats": Limit(
        most=0.1,
        severity="error",
        statement="{share:.0f} % of the places of an epoch show the study of the epoch before.",
        null="1/studies for two independent orders",
        cause="The order is drawn once instead of once an epoch.",
        key="seed",
        remedy="make the order a function of (seed, epoch).",
    ),
}


def data_quality(evidence: Evidence) -> Iterator[Finding]:
    """Compare each fact about the data with the most that it may be."""
    diagnostics = evidence.diagnostics
    for name, limit in LIMITS.items():
        value = diagnostics.get(name)
        if value is None:
            continue
        share = (
            value / max(1, diagnostics.get("data/held_out_studies", 1))
            if "held_out" in name
            else value
        )
        most = max(limit.most, diagnostics.get(f"{name}/chance", 0.0))
        if share <= most:
            continue
        yield Finding(
            rule=RULE,
            severity=limit.severity,
            statement=limit.statement.format(
                share=100 * share,
                value=value,
                duplicates=100 * diagnostics.get("data/duplicate_reports", 0.0),
            ),
            measured=share,
            threshold=most,
            formula=f"{name}, counted before the first step",
            null=limit.null,
            cause=limit.cause,
            key=limit.key,
            remedy=limit.remedy,
            next_measurement="The same count after the change; --run_mode doctor takes it.",
        )
