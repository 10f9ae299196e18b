"""Which files a selection takes: by type, name and tag, in the order of their File IDs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.errors import UsageError
from btv_report.exofop.types import ExoFopFileRow, ExoFopSelectors


def row(file_id: int, filename: str = "a.dat", kind: str = "Image", tag: str | int | None = None) -> ExoFopFileRow:
    return ExoFopFileRow(file_id, 1, None, filename, kind, None, tag, None)


ROWS = (
    row(30, "TOI1262S-tres.pdf", "Spectrum", 1494),
    row(10, "TOI1262I-562_sensitivity.dat", "Image", 7652),
    row(20, "TOI1262I-562_plot.png", "image", "7652"),
    row(40, "notes.TXT", "Other", None),
    row(50, "sensitivity.data", "Image", "tag of a person"),
)


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ({}, [10, 20, 30, 40, 50]),
        ({"types": {"IMAGE"}}, [10, 20, 50]),
        ({"types": {"Image", "Spectrum"}}, [10, 20, 30, 50]),
        ({"types": set()}, []),
        ({"filename_regex": r"sensitivity\.(dat|pdf)$"}, [10]),
        ({"filename_regex": "TRES"}, []),
        ({"filename_regex": "(?i)tres|txt"}, [30, 40]),
        ({"filename_regex": ""}, [10, 20, 30, 40, 50]),
        ({"tag_ids": {7652}}, [10, 20]),
        ({"tag_ids": {1494, 7652}, "types": {"Spectrum"}}, [30]),
        ({"tag_ids": set()}, []),
        ({"max_files": 2}, [10, 20]),
        ({"max_files": 0}, []),
        ({"types": {"Image"}, "max_files": 1}, [10]),
        ({"max_files": 99}, [10, 20, 30, 40, 50]),
    ],
)
def test_files_are_chosen_in_the_order_of_their_numbers(options: dict[str, Any], chosen: list[int]) -> None:
    assert [item.file_id for item in ExoFopSelectors(**options).select(ROWS)] == chosen


@pytest.mark.parametrize("regex", ["(", "[a", "*", "(?P<a>x)(?P<a>y)", "a{99999999999}"])
def test_expression_that_is_none_is_refused_with_an_example(regex: str) -> None:
    with pytest.raises(UsageError, match="no regular expression") as caught:
        ExoFopSelectors(filename_regex=regex)
    assert "--regex" in str(caught.value.hint)


def test_negative_number_of_files_is_refused() -> None:
    with pytest.raises(UsageError, match="-1 files"):
        ExoFopSelectors(max_files=-1)


KINDS = ("Image", "Spectrum", "Light_Curve", "Other")
rows = st.lists(
    st.builds(
        row, st.integers(1, 99), st.text("ab.", max_size=4), st.sampled_from(KINDS), st.sampled_from([None, 1, "2"])
    ),
    unique_by=lambda item: item.file_id,
)
choices = st.builds(
    ExoFopSelectors,
    types=st.none() | st.sets(st.sampled_from(KINDS)),
    filename_regex=st.none() | st.sampled_from(["a", "b$", "^$"]),
    tag_ids=st.none() | st.sets(st.integers(1, 2)),
    max_files=st.none() | st.integers(0, 5),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(rows, choices)
def test_choice_is_a_part_in_order_and_does_not_depend_on_the_order_of_the_list(
    listed: list[ExoFopFileRow], selectors: ExoFopSelectors
) -> None:
    chosen = selectors.select(tuple(listed))
    assert chosen == selectors.select(tuple(reversed(listed)))
    assert [item.file_id for item in chosen] == sorted(item.file_id for item in chosen)
    assert set(chosen) <= set(listed)
    for item in chosen:
        assert selectors.types is None or item.type in selectors.types
        assert selectors.tag_ids is None or int(str(item.tag or 0)) in selectors.tag_ids
    assert selectors.max_files is None or len(chosen) <= selectors.max_files
