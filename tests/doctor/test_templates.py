"""What all pages share: the words above the columns of their tables."""

import pytest

from cinelex.doctor.templates import environment

TABLE = '{% from "report/parts.jinja" import plain_table %}{{ plain_table(table, short) }}'


@pytest.mark.parametrize(
    ("column", "heading"),
    [("with_it", "With it"), ("auroc", "AUROC"), ("benjamini_hochberg", "Benjamini-Hochberg")],
)
def test_columns_are_headed_by_words_and_names_keep_their_capitals(
    column: str, heading: str
) -> None:
    table = {"title": "t", "note": "n", "rows": [{column: None}]}
    page = environment().from_string(TABLE).render(table=table, short=str)
    assert f'<th scope="col">{heading}</th>' in page
