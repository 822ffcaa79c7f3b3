"""The usual names of columns: one table for all who guess."""

from itertools import chain

from cinelex.data.tables.usual import USUAL, plain, usual_columns


def test_columns_are_known_however_they_are_spelt_and_the_likeliest_comes_first() -> None:
    names = ["Findings", "Accession No.", "REPORT_TEXT", "Study Instance UID", "accession-no"]
    assert usual_columns(names, "report") == ["REPORT_TEXT", "Findings"]
    assert usual_columns(names, "study_uid", "accession") == ["Study Instance UID", "Accession No."]
    assert usual_columns(names, "patient") == []


def test_no_name_stands_for_two_things() -> None:
    every = list(chain.from_iterable(USUAL.values()))
    assert len(every) == len(set(every))
    assert every == [plain(name) for name in every]
