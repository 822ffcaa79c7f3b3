"""YAML has one meaning here, and every refusal names its line."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinelex.config.strict_yaml import (
    dump_yaml,
    parse_yaml,
    plain_value,
    read_yaml,
)
from cinelex.core.errors import UserError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    | st.sampled_from(["1e-4", "yes", "010", "null", "~", "1_000", ".nan", "2026-01-31", "a: b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-4", 1e-4),
        ("1E-4", 1e-4),
        ("1.e3", 1000.0),
        (".5", 0.5),
        ("-2.5", -2.5),
        ("1e4", 10_000),
        ("10_000", 10_000),
        ("0", 0),
        ("true", True),
        ("null", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("0x10", "0x10"),
        ("2026-01-31", "2026-01-31"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("_1", "_1"),
    ],
)
def test_a_plain_word_means_what_people_mean_by_it(word: str, value: object) -> None:
    found = plain_value(word)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("word", [".nan", ".NaN", ".inf", "-.inf", "1e999", "1e" + "9" * 50])
def test_a_number_that_is_not_finite_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="not a finite number"):
        plain_value(word)
    with pytest.raises(UserError, match=r"^x\.yaml:2: "):
        parse_yaml(f"a: 1\nb: {word}", source="x.yaml")


def test_a_very_long_number_is_a_word_and_costs_nothing() -> None:
    assert plain_value("1" * 5000) == "1" * 5000


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: 2\na: 3", 3, "'a' stands twice, first at x.yaml:1"),
        ("a:\n  b: 1\n  'b': 2", 3, "'b' stands twice"),
        ("a: &x 1\nb: *x", 1, "anchors and aliases"),
        ("a: *x", 1, "anchors and aliases"),
        ("a: !!python/object/apply:os.system [ls]", 1, "tags are not supported"),
        ("a: !!str 1", 1, "tags are not supported"),
        ("a: 1\n---\nb: 2", 3, "second document"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: 1\n\tb: 2", 2, "not YAML"),
        ("? [a]\n: 1", 1, "expected a key"),
        ("a.b: 1", 1, "nested keys"),
        ("a: " + "[" * 100 + "]" * 100, 1, "nested deeper"),
    ],
)
def test_what_is_more_than_plain_data_is_refused_with_its_line(
    text: str, line: int, problem: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_yaml(text, source="x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{line}: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(UserError, match=r"x\.yaml:1: anchors and aliases"):
        parse_yaml(bomb, source="x.yaml")


def test_a_huge_text_is_no_config() -> None:
    with pytest.raises(UserError, match="longer than a config may be"):
        parse_yaml("a" * 1_000_001, source="x.yaml")


def test_a_control_character_is_refused() -> None:
    with pytest.raises(UserError, match="not allowed in YAML"):
        parse_yaml("a: \x00", source="x.yaml")


def test_every_key_knows_its_file_and_line() -> None:
    document = parse_yaml("a:\n  b: 1\n  c: [2]\nd: 3", source="x.yaml")
    assert document.origins == {
        ("a",): "x.yaml:1",
        ("a", "b"): "x.yaml:2",
        ("a", "c"): "x.yaml:3",
        ("d",): "x.yaml:4",
    }


def test_a_missing_or_broken_file_is_named(tmp_path: Any) -> None:
    with pytest.raises(UserError, match=r"gone\.yaml: cannot be read"):
        read_yaml(tmp_path / "gone.yaml")
    (tmp_path / "latin.yaml").write_bytes("näme: x".encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.yaml: not UTF-8 at byte 1"):
        read_yaml(tmp_path / "latin.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(UserError, match=r"list\.yaml: expected 'key: value' lines"):
        read_yaml(tmp_path / "list.yaml")


def test_windows_files_with_a_mark_are_read(tmp_path: Any) -> None:
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(tmp_path / "bom.yaml").data == {"a": 1, "b": 2}


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True), PLAIN, max_size=5))
def test_what_is_dumped_reads_back_equal(data: dict[str, Any]) -> None:
    found = parse_yaml(dump_yaml(data), source="x.yaml").data
    assert json.dumps(found) == json.dumps(data)
