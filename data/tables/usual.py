"""What the columns of other people's tables are called, by what they hold."""

import re
from collections.abc import Iterable
from typing import Final

USUAL: Final[dict[str, tuple[str, ...]]] = {
    "video_id": ("videoid", "clipid", "sopinstanceuid"),
    "video": (
        "videopath", "video", "filepath", "path", "filename", "file", "videofile", "cine",
        "cinepath", "clip", "imagepath", "image", "imagefile", "img", "picture",
    ),
    "series": ("seriesid", "seriesinstanceuid"),
    "study": ("studyid", "study", "examid", "exam"),
    "study_uid": (
        "studyinstanceuid", "studyuid", "studyinstance", "instanceuid", "siuid", "studyiuid",
    ),
    "accession": (
        "accession", "accessionnumber", "accessionno", "accno", "acc", "accnumber", "orderid",
    ),
    "other_id": ("imageid", "sampleid", "caseid", "case", "id", "uid"),
    "patient": (
        "patientid", "patient", "subjectid", "subject", "personid", "mrn", "pid",
        "medicalrecordnumber", "patientnumber",
    ),
    "content": ("contenthash", "sha256"),
    "report": (
        "reporttext", "report", "text", "findings", "narrative", "reportbody", "resulttext",
        "fulltext", "befund", "befundtext", "impression", "conclusion",
    ),
    "caption": ("caption", "description", "transcript", "sentence"),
    "label": ("title", "label"),
    "split": ("split", "set", "subset", "partition", "datasplit"),
    "view": ("view", "viewname", "projection"),
    "primary_angle": ("primaryangle", "positionerprimaryangle"),
    "secondary_angle": ("secondaryangle", "positionersecondaryangle"),
    "age": ("age", "patientage", "ageyears"),
    "sex": ("sex", "gender", "patientsex"),
    "site": ("site", "institution", "hospital", "center", "centre"),
    "manufacturer": ("manufacturer", "vendor"),
    "model": ("model", "manufacturermodel", "scanner", "device"),
    "year": ("year", "studyyear"),
    "date": (
        "examdate", "studydate", "date", "acquisitiondate", "reportdate", "proceduredate",
        "examinationdate", "performeddate", "resultdate",
    ),
    "picture": (
        "frames", "numframes", "nframes", "framecount", "fps", "framerate", "duration", "seconds",
        "width", "height", "rows", "columns", "bytes", "filesize", "brightness", "pixelspacing",
    ),
}  # fmt: skip
"""In small letters and digits alone, likeliest first."""


def plain(name: str) -> str:
    """Return a name in small letters and digits alone."""
    return re.sub(r"[\W_]+", "", name.casefold())


def usual_columns(names: Iterable[str], *kinds: str) -> list[str]:
    """Return which of a table's columns usually hold something of some kinds, likeliest first."""
    found = {plain(name): name for name in reversed(list(names))}
    return [found[usual] for kind in kinds for usual in USUAL[kind] if usual in found]
