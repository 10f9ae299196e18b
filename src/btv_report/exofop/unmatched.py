"""Why a selection takes none of the files that are listed, and what would match: nothing chosen is not nothing there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from btv_report.exofop.payloads.file_names import shown_name
from btv_report.exofop.types import ExoFopFileRow, ExoFopSelectors

SHOWN = 8
"""Types, tags or names that a sentence lists."""


def unmatched(selectors: ExoFopSelectors, rows: Sequence[ExoFopFileRow]) -> tuple[str, ...]:
    """
    Sentences about a selection that takes none of the rows: how many there are, and what of them would match.

    Empty where there is no row, where some are taken, or where the user wants no file (`max_files` 0).
    """
    if not rows or selectors.max_files == 0 or selectors.select(tuple(rows)):
        return ()
    listed = (
        "1 file is listed, and it does not match"
        if len(rows) == 1
        else f"{len(rows)} files are listed, and none matches"
    )
    return (f"{listed}.", *(_each_alone(selectors, tuple(rows)) or _all_together(selectors, tuple(rows))))


def _each_alone(selectors: ExoFopSelectors, rows: tuple[ExoFopFileRow, ...]) -> list[str]:
    """A sentence for each part of the selection that no file matches, with what there is instead."""
    sentences = []
    if selectors.types is not None and not ExoFopSelectors(types=selectors.types).select(rows):
        there_are = _counted(row.type or "without a type" for row in rows)
        sentences.append(f"No file is of the type {_either(selectors.types)}; there are: {there_are}.")
    if selectors.tag_ids is not None and not ExoFopSelectors(tag_ids=selectors.tag_ids).select(rows):
        there_are = _counted("without a tag" if row.tag is None else str(row.tag) for row in rows)
        sentences.append(f"No file has the tag {_either(map(str, selectors.tag_ids))}; there are: {there_are}.")
    if selectors.filename_regex is not None:
        sentences += _of_names(selectors.filename_regex, rows)
    return sentences


def _of_names(regex: str, rows: tuple[ExoFopFileRow, ...]) -> list[str]:
    """A sentence where no name holds the expression; capitals count in it, and may be all that is wrong."""
    if ExoFopSelectors(filename_regex=regex).select(rows):
        return []
    folded = [row for row in rows if re.search(regex, row.filename, re.IGNORECASE)]
    if folded:
        return [f"No file name holds {regex!r}; {_n(len(folded))} would without regard to capitals: '(?i){regex}'."]
    names = [shown_name(row.filename) for row in rows[:SHOWN]]
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    return [f"No file name holds {regex!r}; the names are: {', '.join(names)}{more}."]


def _all_together(selectors: ExoFopSelectors, rows: tuple[ExoFopFileRow, ...]) -> list[str]:
    """Where every part matches something, and nothing matches all of them."""
    parts = {
        "--types": None if selectors.types is None else ExoFopSelectors(types=selectors.types),
        "--regex": None
        if selectors.filename_regex is None
        else ExoFopSelectors(filename_regex=selectors.filename_regex),
        "--tag": None if selectors.tag_ids is None else ExoFopSelectors(tag_ids=selectors.tag_ids),
    }
    alone = [f"{name} {_n(len(part.select(rows)))}" for name, part in parts.items() if part is not None]
    return [f"By itself each part of the selection matches some, and no file matches all: {', '.join(alone)}."]


def _n(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(repr(word) for word in sorted(words))


def _counted(words: Iterable[str]) -> str:
    """Each word with how often it is there, the most frequent first."""
    counted = sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{shown_name(word)} ({number})" for word, number in counted[:SHOWN]]
    return ", ".join(shown) + (f" and {len(counted) - SHOWN} others" if len(counted) > SHOWN else "")
