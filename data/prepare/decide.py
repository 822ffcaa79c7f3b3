"""What becomes of every file, and why: one decision each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cinelex.data.prepare.settings import PrepareSettings

KEPT, DROPPED, PENDING = "kept", "dropped", "pending"
REASONS = {
    "duplicate": "the same bytes as another file",
    "same_frames": "the same frames as another cine of the same study",
    "other_patient": "its study belongs to another patient",
    "mask_uncertain": "its mask waits for a person, on review.html",
    "mask_rejected": "a person has rejected its mask",
    "not_decoded": "the system could not read it; the next run tries again",
    "deadline": "it was not read in time",
    "died": "it ended its decoder, twice",
    "memory": "it needs more memory than there is",
    "link": "a link, which is not followed",
    "special_file": "no regular file",
    "unreadable": "the system could not read it; the next run tries again",
}
"""What the reasons of this room say; those of headers and pixels are in ``data.dicom.errors``."""


def decide(
    files: pd.DataFrame,
    cines: pd.DataFrame,
    decisions: Mapping[str, str],
    settings: PrepareSettings,
) -> pd.DataFrame:
    """Return the files with what is known of their cine, and the columns "decision" and "why".

    Args:
        files: As ``known_files`` returns them, and their "study_id".
        cines: A row a content that was decoded.
        decisions: "approve" or "reject" by content.
        settings: Limit of the masks' confidence.
    """
    decided = files.merge(cines.rename(columns={"reason": "trouble"}), on="content", how="left")
    trouble = decided["trouble"].fillna("not_decoded")
    decision = decided["content"].map(dict(decisions))
    uncertain = decided["confidence"].to_numpy(float) < settings.min_confidence
    twin = (
        decided["cine"] & decided["content"].notna() & _later(decided, ["content"], decided["cine"])
    )
    why = np.select(
        [
            ~decided["cine"],
            twin,
            trouble != "",
            decision == "reject",
            uncertain & (decision != "approve"),
            ~decided["stored"].eq(True),
        ],
        [decided["reason"], "duplicate", trouble, "mask_rejected", "mask_uncertain", "not_decoded"],
        default="",
    )
    decided["why"] = why
    left = decided["why"].isin(["", "mask_uncertain"])
    decided.loc[left & _later(decided, ["study_id", "pixels"], left), "why"] = "same_frames"
    decided["decision"] = decided["why"].map({"": KEPT, "mask_uncertain": PENDING}).fillna(DROPPED)
    return decided


def _later(rows: pd.DataFrame, columns: list[str], among: "pd.Series[bool]") -> "pd.Series[bool]":
    """Return which of some rows have an earlier one like them."""
    later: pd.Series[bool] = rows[among].duplicated(columns).reindex(rows.index, fill_value=False)
    return later
