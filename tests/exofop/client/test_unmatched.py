"""A selection that takes no file says how many there are, and what of them would match."""

from __future__ import annotations

from typing import Any

import pytest
from tests.exofop.client.test_selectors import ROWS, row

from btv_report.exofop.types import ExoFopSelectors
from btv_report.exofop.unmatched import unmatched

NONE = "5 files are listed, and none matches."


@pytest.mark.parametrize(
    ("options", "sentences"),
    [
        (
            {"types": {"Foo", "Bar"}},
            ["No file is of the type 'Bar' or 'Foo'; there are: Image (2), Other (1), Spectrum (1), image (1)."],
        ),
        (
            {"tag_ids": {8}},
            ["No file has the tag '8'; there are: 7652 (2), 1494 (1), tag of a person (1), without a tag (1)."],
        ),
        (
            {"filename_regex": "TRES"},
            ["No file name holds 'TRES'; 1 file would without regard to capitals: '(?i)TRES'."],
        ),
        (
            {"types": {"Spectrum"}, "filename_regex": "plot", "max_files": 3},
            ["By itself each part of the selection matches some, and no file matches all: --types 1 file, --regex 1 file."],
        ),
    ],
)  # fmt: skip
def test_selection_that_takes_nothing_is_told_with_what_there_is(options: dict[str, Any], sentences: list[str]) -> None:
    assert unmatched(ExoFopSelectors(**options), ROWS) == (NONE, *sentences)


def test_expression_that_no_name_holds_is_told_with_the_names() -> None:
    _, words = unmatched(ExoFopSelectors(filename_regex="xyz"), ROWS)
    assert "TOI1262S-tres.pdf, TOI1262I-562_sensitivity.dat" in words
    _, words = unmatched(ExoFopSelectors(filename_regex="xyz"), tuple(row(number) for number in range(30)))
    assert words.endswith("and 22 more.")


def test_one_file_that_does_not_match_is_one() -> None:
    assert unmatched(ExoFopSelectors(types={"x"}), ROWS[:1])[0] == "1 file is listed, and it does not match."


@pytest.mark.parametrize("options", [{}, {"types": {"image"}}, {"max_files": 0}, {"max_files": 0, "types": {"x"}}])
def test_selection_that_takes_something_or_is_for_no_file_needs_no_words(options: dict[str, Any]) -> None:
    assert unmatched(ExoFopSelectors(**options), ROWS) == ()


def test_nothing_is_said_of_a_selection_where_nothing_is_listed() -> None:
    assert unmatched(ExoFopSelectors(types={"x"}), ()) == ()
