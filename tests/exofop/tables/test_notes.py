"""Observers' notes as text that people can read."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btv_report.archive.limits import Limits
from btv_report.exofop.tables.notes import note_values, readable_text
from btv_report.exofop.types import ExoFopTable
from btv_report.record import ExoFopNoteValue

COLUMNS = ("ID", "TIC ID", "Username", "Groupname", "TAG ID", "Lastmod", "notes")


def note(text: str, group: str = "", user: str = "latham") -> ExoFopNoteValue:
    row = ("23968", "68646526", user, group, "1573", "2021-11-30 12:20:55", text)
    (value,) = note_values(ExoFopTable("obsnotes", COLUMNS, (row,)))
    return value


def test_a_note_has_its_author_tag_and_date() -> None:
    assert note("4 RV epochs") == {
        "note_id": 23968,
        "user": "latham",
        "group": None,
        "tag": "1573",
        "date": "2021-11-30 12:20:55",
        "text": "4 RV epochs",
        "n_left_out": 0,
        "is_disposition": False,
    }


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<!DOCTYPE html><html><head><style>p {color: red}</style></head><body><p>4 RV epochs</p><p>162 m/s</p></body></html>",
         "4 RV epochs\n\n162 m/s"),
        ("one&nbsp;two &amp; three &lt;b&gt; &#963; &#x3c3; &sigma;", "one two & three <b> σ σ σ"),
        ("first<br>second<br/>\nthird", "first\nsecond\nthird"),
        ("<ul><li>one</li><li>two</li></ul>end", "- one\n\n- two\n\nend"),
        ("<table><tr><td>P</td><td>3.5</td></tr><tr><td>K</td><td>9</td></tr></table>", "P 3.5\n\nK 9"),
        ("plain\nlines\n\n\n\nparagraph  with   spaces", "plain\nlines\n\nparagraph with spaces"),
        ("<p>wrapped\nline</p>\n\n<pre>kept\nline</pre>", "wrapped line\n\nkept\nline"),
        ("<o:p></o:p><span style='x:1'>Word</span> <B>text</B>", "Word text"),
        ("see <!-- <b>hidden</b> --> this", "see this"),
        ("<script>alert(1)</script><b onclick=\"x\">bold</b>", "bold"),
        ("<a href=\"https://example.org/?a=1&amp;b=2\">link</a>", "link"),
    ],
)  # fmt: skip
def test_f034_markup_becomes_paragraphs_and_characters(raw: str, text: str) -> None:
    assert readable_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ('ends here <a target="_blank"', "ends here"),
        ("ends here <b", "ends here"),
        ('see <a target="_blank" href="x" the plot <b>now</b>', "see the plot now"),
        ("<style>p {} and the rest", "p {} and the rest"),
        ("<!-- never closed <b>note</b>", "never closed note"),
        ("<script>never closed", "never closed"),
    ],
)
def test_f034_what_is_never_closed_loses_no_word(raw: str, text: str) -> None:
    assert readable_text(raw) == text


NO_MARKUP = [
    "P<3 d and depth>5 ppt",
    "a <b and c> d",
    "x < y > z",
    "<latham@example.org>",
    "1<s<2",
    "<5% & rising",
    "SNR <nan>",
]


@pytest.mark.parametrize("text", [*NO_MARKUP, "AT&T &notes", "->", "-->x"])
def test_f034_what_is_no_markup_stays(text: str) -> None:
    assert readable_text(text) == text


@pytest.mark.parametrize(
    ("text", "group", "is_disposition"),
    [
        ("TOI312.01:[P=3.54112] clear; Master Disp: KP, Phot Disp: KP", "tfopwg", True),
        ("TOI3680.01:V-shaped; found in faint-star QLP search", "tfopwg", True),
        ("<p>Master&nbsp;Disp: FP</p>", "", True),
        ("Spectroscopic disposition: SEB1", "", True),
        ("4 RV epochs, 162 m/s scatter", "", False),
        ("TOI 312.01: no velocity variation", "", False),
        ("AO image: no companion", "tfopwg", False),
    ],
)
def test_f047_a_summary_of_dispositions_is_told_from_an_observation(
    text: str, group: str, is_disposition: bool
) -> None:
    assert note(text, group)["is_disposition"] is is_disposition


def test_f038_words_for_nothing_are_none() -> None:
    value = note("x", group="None", user="nan")
    assert (value["user"], value["group"]) == (None, None)


@pytest.mark.parametrize("letter", ["x", "σ", "☃", "𝒳"])
def test_a_long_note_is_cut_and_says_by_how_much(letter: str) -> None:
    value = note(letter * 30_000)
    assert len(value["text"].encode()) <= Limits.shown_note_bytes
    assert len(value["text"]) + value["n_left_out"] == 30_000
    very_long = note("<p>" + letter * 2_000_000)
    assert len(very_long["text"]) + very_long["n_left_out"] == 2_000_000


PARTS = [
    "<",
    ">",
    "<b>",
    "</p>",
    "<a href=",
    '"',
    "'",
    "<!--",
    "-->",
    "&",
    "&amp;",
    "amp;",
    "word",
    " ",
    "\n",
    "<style>",
]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([*PARTS, "</style", "<pre>", "/", "=", "<!doctype"])).map("".join))
def test_no_text_breaks_the_reader_and_plain_words_stay(text: str) -> None:
    readable = readable_text(f"begin {text}")
    assert readable.startswith("begin")


def test_f034_hostile_markup_takes_no_longer_than_other() -> None:
    chance = random.Random(34)
    parts = ["<", '<a x="', "<a x='", "<!--", "<style>", "\n ", " ", "&", "&#", "<a ", "<b\n", "<!doctype ", "<?xml "]
    started = time.process_time()
    for part in parts:
        readable_text(part * (300_000 // len(part)))
    readable_text("".join(chance.choice(parts) for _ in range(100_000)))
    assert time.process_time() - started < 10  # two seconds or less; quadratic would be minutes
