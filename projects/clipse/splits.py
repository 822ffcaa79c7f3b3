"""How the images of a run are split: overlap is measured, not asserted."""

from collections.abc import Iterable

from cinelex.data.images.captioned import CaptionedImage
from cinelex.projects.clipse.data import ClipseData
from cinelex.projects.interface.exhibits import Table
from cinelex.projects.studies.subgroups import SPLITS, UNANSWERED


def split_tables(data: ClipseData) -> list[Table]:
    """Return the table of the splits, and what nobody says of the images."""
    train = data.train
    splits = {"train": train, "validation": data.validation, "test": data.test}
    people, captions = _people(train.images), _captions(train.images)
    rows = [
        {
            "split": name,
            "studies": len(one),
            "patients": len(_people(one.images)),
            "patients_in_training": None if one is train else len(_people(one.images) & people),
            "reports_in_training": None
            if one is train
            else sum(not captions.isdisjoint(image.captions) for image in one.images),
        }
        for name, one in splits.items()
        if one is not None
    ]
    note = "An image is a study of its own; overlap of patients and captions is measured."
    tables = [Table(name=SPLITS, title="Splits", note=note, rows=rows)]
    if all(row["patients"] == row["studies"] for row in rows):
        so = "each image counts as its own patient, and intervals resample images"
        absent = [{"not_in_the_manifest": "patient", "so": so}]
        note = "A manifest with a column patient_id, or data.columns.patient, says it."
        tables.append(Table(name=UNANSWERED, title="Could not be answered", note=note, rows=absent))
    return tables


def _people(images: Iterable[CaptionedImage]) -> set[str]:
    return {image.patient or f"\0{image.id}" for image in images}


def _captions(images: Iterable[CaptionedImage]) -> set[str]:
    return {caption for image in images for caption in image.captions}
