"""How the sites of a made-up hospital name their files."""

from pathlib import Path

from pydicom import Dataset

from cinelex.data.synthetic.hospital.visits import Visit


class Names:
    """Gives every file of one study a path of its own, as its site has it.

    One site puts names and ids of patients into paths; one numbers files without extension, so that
    names are equal in all folders; one uses unique identifiers.
    """

    def __init__(self, visit: Visit, export: Path) -> None:
        self._visit = visit
        self._export = export
        self._number = 0
        day, patient = visit.when, visit.patient
        match visit.site.naming:
            case "people":
                who = f"{patient.name.family}_{patient.name.given}_{patient.id}"
                below = f"zquorn/{who}/{day:%Y-%m-%d}_{visit.accession}"
            case "numbers":
                below = f"DICOM/{day:%Y}/{day:%m}/S{visit.number:06d}"
            case "uids":
                below = f"archive/{visit.study_uid}"
        self.folder = export / below

    def next_number(self) -> int:
        """Return the number of the study's next object, from 1."""
        self._number += 1
        return self._number

    def take(self, header: Dataset, number: int) -> Path:
        """Return where an object goes."""
        match self._visit.site.naming:
            case "people":
                return self.folder / f"{header.Modality}_{number:03d}.dcm"
            case "numbers":
                return self.folder / f"IM{number:06d}"
            case "uids":
                return self.folder / header.SeriesInstanceUID / header.SOPInstanceUID

    def again(self, path: Path) -> Path:
        """Return where a second copy of a file goes: an import that somebody made twice."""
        return self._export / "import-again" / f"{self._visit.number:05d}" / path.name

    def index(self) -> Path:
        """Return where the index of a disc goes."""
        return self.folder / "DICOMDIR"

    def below(self, path: Path) -> str:
        """Return a path as the truth writes it."""
        return path.relative_to(self._export).as_posix()

    def path_of(self, below: str) -> Path:
        """Return the path that the truth writes as `below`."""
        return self._export / below
