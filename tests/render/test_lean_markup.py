"""Markup in fewer bytes is the same page: the same elements, attributes and words for a parser that works as a browser does."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from btv_report.record import RunRecord
from btv_report.render import pages
from btv_report.render.lean_markup import lean


def flat(text: str) -> list[tuple[str, Any, str, str]]:
    """Every element with its attributes and texts, white space between elements left out."""
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)

    def words(text: str | None) -> str:
        return re.sub(r"\s+", " ", text or "").strip()

    return [(str(e.tag), sorted(map(str, e.attrib.items())), words(e.text), words(e.tail)) for e in tree.iter()]


@pytest.fixture(scope="module")
def written(make_record: Callable[..., RunRecord]) -> tuple[str, str]:
    """A dossier as its templates write it, and as it is published."""
    seen = []

    def noted(page: str) -> str:
        seen.append(page)
        return lean(page)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "lean", noted)
        files = pages.dossier_files("20261121T014500Z-1a2b3c4d", "ab" * 32, make_record())
    return seen[0], files["tic/188646744/index.html"].decode()


def test_the_published_page_parses_as_the_one_that_was_written(written: tuple[str, str]) -> None:
    before, after = written
    assert len(after.encode()) < 0.95 * len(before.encode())
    assert flat(after) == flat(before)


def test_scripts_and_values_that_need_quotes_keep_theirs() -> None:
    script = '<script type="application/json">["</td>", "<td class=\\"x\\">"]</script>'
    page = f'<td class="num" title="two words">1</td>\n{script}<use href="#p1"/><path d="M0 0"/><td title=""></td>'
    assert lean(page) == (f'<td class=num title="two words">1{script}<use href=#p1 /><path d="M0 0"/><td title="">')
