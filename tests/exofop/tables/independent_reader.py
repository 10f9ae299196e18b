"""A second reader of well-formed tables, as short as it can be, for the shipped one to agree with; and tables to read."""

from __future__ import annotations

import csv
import io
import random
import re
from dataclasses import dataclass
from typing import Literal

HEADERS = {
    "obsnotes": ["ID", "TIC ID", "Username", "Groupname", "TAG ID", "Lastmod", "notes"],
    "filelist": ["Type", "File Name", "File ID", "TIC", "TOI", "Date", "User", "Group", "Tag", "Description"],
    "stellarcomp": ["TIC ID", "TOI", "Separation (arcsec)", "Filter", "Delta Mag", "Date", "Tag", "Notes"],
}
NEWLINES = ("\n", "\r\n", "\r", "\n\r")
DELIMITERS = (",", "|", "\t", ";", "^")


def independent_rows(text: str, delimiter: str, newline: str) -> list[list[str]]:
    """All rows of a well-formed table, the header first."""
    if delimiter != "|":
        # The module knows no "\n\r": outside of cells its second half stands at the beginning of the next line.
        text = re.sub(r"\n\r(?=(?:[^\"]*\"[^\"]*\")*[^\"]*\Z)", "\n", text) if newline == "\n\r" else text
        return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    rows: list[list[str]] = []
    n_columns = text.split(newline)[0].count("|") + 1
    gap = ""
    for line in text.split(newline):
        if not line.strip():
            gap += f"{line}\n"
        elif not rows or re.match(r"\d+\||[A-Z]\w+\|[^|]*\|\d+\|", line):
            rows.append(line.split("|", n_columns - 1))
            gap = ""
        else:
            rows[-1][-1] += f"\n{gap}{line}"
            gap = ""
    return rows


@dataclass
class Made:
    """A table and what stands in it."""

    kind: str
    delimiter: str
    newline: str
    rows: list[list[str]]
    text: str


def made_table(seed: int) -> Made:
    """A well-formed table of up to six rows, with whatever people write in it."""
    chance = random.Random(seed)
    kind, delimiter, newline = chance.choice(list(HEADERS)), chance.choice(DELIMITERS), chance.choice(NEWLINES)
    rows = [_row(kind, delimiter, chance) for _ in range(chance.randrange(7))]
    lines = [HEADERS[kind], *rows]
    if delimiter == "|":
        text = newline.join("|".join(line) for line in lines).replace("\n", newline) if newline == "\r" else ""
        text = text or newline.join("|".join(line).replace("\n", newline) for line in lines)
        text += newline
    else:
        stream = io.StringIO(newline="")
        # Before Python 3.13 the writer quotes only those line ends of a cell that are also those of its rows.
        fewest: Literal[0, 1] = csv.QUOTE_MINIMAL if len(newline) == 2 else csv.QUOTE_ALL
        quotings: list[Literal[0, 1, 2]] = [fewest, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]
        csv.writer(stream, delimiter=delimiter, lineterminator=newline, quoting=chance.choice(quotings)).writerows(
            lines
        )
        text = stream.getvalue()
    return Made(kind, delimiter, newline, rows, text + newline * chance.choice([0, 0, 1, 5]))


def _row(kind: str, delimiter: str, chance: random.Random) -> list[str]:
    date = chance.choice(["2021-11-30 12:20:55", "2021-11-30", "2014-06-1210:24:35.1", "", "None"])
    star, tag = str(chance.randrange(1, 10**10)), chance.choice(["", "1573", "99"])
    user, group = chance.choice(["latham", "González-Álvarez", ""]), chance.choice(["", "tfopwg", "nan"])
    words = _words(delimiter, chance)
    if kind == "obsnotes":
        return [str(chance.randrange(1, 10**6)), star, user, group, tag, date, words]
    if kind == "filelist":
        name = chance.choice(["a.dat", "TIC1-01_plot 2.png", "ünï.pdf", "-x.fits"])
        return ["Light_Curve", name, str(chance.randrange(1, 10**7)), star, "TOI 1.01", date, user, group, "7 a", words]
    return [
        star,
        "TOI 1395",
        chance.choice([".25", "1.5946", ""]),
        "562 nm",
        chance.choice(["-9.9", "4.48"]),
        date,
        tag,
        words,
    ]


def _words(delimiter: str, chance: random.Random) -> str:
    letters = [
        "a",
        "P=3.5",
        " ",
        "|",
        "||",
        '"',
        ",",
        ";",
        "<b>",
        "&nbsp;",
        "é",
        "σ",
        "\n",
        "\n\n",
        "☃",
        'sep=2" ',
        "\t",
        "^",
        "'",
    ]
    words = "".join(chance.choice(letters) for _ in range(chance.randrange(25)))
    words = words if delimiter == "|" else words + chance.choice(["", "\r\nx", "\r"])
    # A note has no white space at its end that a table without quotation marks could keep, and no line that is like a row.
    return words.rstrip() if delimiter == "|" else words
