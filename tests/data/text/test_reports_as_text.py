"""Report text: markup, sections, and what names a person."""

from pathlib import Path

import pytest

from cinelex.core.errors import UserError
from cinelex.data.text.deidentify import deidentify
from cinelex.data.text.plain import plain_text
from cinelex.data.text.sections import Headings

KEPT = ("findings", "conclusion")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (r"{\rtf1\ansi FINDINGS: \'e4 x\par CONCLUSION: y}", "FINDINGS: ä x\nCONCLUSION: y"),
        ("<p>a &lt; b</p><script>x</script>c<br>d\ne", "a < b\nc\nd e"),
        ("a < 50 % and b > 3\r\n\r\n c", "a < 50 % and b > 3\nc"),
    ],
)
def test_markup_becomes_text(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_sections_are_kept_by_their_headings() -> None:
    headings = Headings.read()
    text = "HISTORY: x\nCoronary findings:\nLAD 70 %.\nRCA normal. Impression: bad. SIGNED: Dr. X"
    assert headings.kept(text, KEPT) == "LAD 70 %. RCA normal. bad."
    assert headings.kept("History: x\nNOTE: fine", KEPT) == "fine"
    assert headings.kept("No heading\nat all.", KEPT) == "No heading at all."


def test_vessels_in_capitals_before_a_colon_are_findings() -> None:
    headings = Headings.read()
    text = "FINDINGS: Mild. PLV: 60 %.\nLEFT MAIN: normal\nSIGNED: Dr. X\nCC: y"
    assert headings.kept(text, KEPT) == "Mild. PLV: 60 %. LEFT MAIN: normal"


def test_headings_that_are_no_lists_are_refused(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text("findings: Befund\n")
    with pytest.raises(UserError, match="expected 'section:"):
        Headings.read(tmp_path / "h.yaml")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Seen by Dr. Anna Zqdrovik on 12.03.2015.", "Seen by Dr. [NAME] on [DATE]."),
        ("On March 3, 2015 and 2015-03-03 and 3 Mar 15", "On [DATE] and [DATE] and [DATE]"),
        ("A 94-year-old, call +49 170 1234567", "A 90-year-old, call [PHONE]"),
        ("MRN: A55, QA1234567", "[ID], [ID]"),
        ("PA pressure 35/12, 2.5 x 18 mm, TIMI 3", "PA pressure 35/12, 2.5 x 18 mm, TIMI 3"),
        ("70% stenosis of the mid LAD.", "70% stenosis of the mid LAD."),
    ],
)
def test_patterns_take_out_persons_and_leave_findings(text: str, safe: str) -> None:
    assert deidentify(text)[0] == safe


@pytest.mark.parametrize("said", ["ILKER", "ılker", "İlker", "ilKer"])
def test_a_name_is_found_however_its_letters_are_written(said: str) -> None:
    assert deidentify(f"{said} was seen.", names=["Ilker^Ada"])[0] == "[NAME] was seen."


def test_names_and_ids_of_the_header_go_however_they_are_written() -> None:
    text, counts = deidentify(
        "zqdrovik was at Zquorn Heart Centre; her heart is fine, K99.",
        names=["Zqdrovik^Anna", "Zquorn Heart Centre"],
        ids=["K99X", "K99"],
    )
    assert text == "[NAME] was at [NAME]; her heart is fine, K99."
    assert counts["name"] == 2
