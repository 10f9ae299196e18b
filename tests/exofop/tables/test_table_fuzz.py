"""Six thousand tables: what is well-formed is read as another reader reads it, and of the rest no row is lost."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from tests.exofop.tables.independent_reader import HEADERS, Made, independent_rows, made_table

from btv_report.exofop.tables.reading import TableError, read_table
from btv_report.exofop.types import ExoFopTable

N_TABLES = 3000


@pytest.mark.parametrize("block", range(6))
def test_f033_well_formed_tables_are_read_as_written_and_as_another_reader_reads_them(block: int) -> None:
    for seed in range(block * N_TABLES // 6, (block + 1) * N_TABLES // 6):
        made = made_table(seed)
        table = read_table(made.text.encode(), made.kind)
        assert not table.rejected, (seed, table.rejected)
        assert [list(row) for row in table.rows] == made.rows, seed
        other = independent_rows(made.text, made.delimiter, made.newline)
        assert [list(table.columns), *map(list, table.rows)] == other, seed


@pytest.mark.parametrize("block", range(6))
def test_damaged_tables_lose_no_row_and_no_letter(block: int) -> None:
    n_read = 0
    for seed in range(block * N_TABLES // 6, (block + 1) * N_TABLES // 6):
        made = made_table(seed + 100_000)
        content = damaged(made, random.Random(seed))
        try:
            table = read_table(content, made.kind)
        except TableError as error:
            assert error.words  # noqa: PT017
            continue
        n_read += 1
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(row.reason and row.line > 1 for row in table.rejected)
        assert letters_of(table) == letters(content), seed
    assert n_read > N_TABLES // 12


def damaged(made: Made, chance: random.Random) -> bytes:
    """The table after one or more accidents below its header."""
    end = made.text.index(HEADERS[made.kind][-1]) + len(HEADERS[made.kind][-1]) + (made.text.lstrip()[0] == '"')
    header, body = made.text[:end].encode(), made.text[end:].encode()
    for _ in range(chance.randrange(1, 4)):
        where = chance.randrange(len(body) + 1)
        match chance.randrange(7):
            case 0:
                body = body[:where]
            case 1:
                body = (
                    body[:where]
                    + chance.choice([b'"', b"|", b",", b"\n", b"\r", b"\0", b"\xe9", b"\xff\xfe"])
                    + body[where:]
                )
            case 2:
                body = body[:where] + body[where + chance.randrange(1, 9) :]
            case 3:
                body = body.replace(b'"', b"", 1)
            case 4:
                body = body[:where] + b"\n<br />\n<b>Fatal error</b>:  Out of memory in x.php<br />\n" + body[where:]
            case 5:
                body = body[where:] + body[:where]
            case _:
                body += b"\n".join([b"17|x", b"<!DOCTYPE html><html>", b'a,"b', b"1,2,3,4,5,6,7,8,9,10,11,12"])
    return header + b"\n" + body


def letters(content: bytes) -> Counter[str]:
    """Letters and digits of the rows of a table, by an independent decoder."""
    text = "".join(chr(b) if b < 0x80 else "" for b in content)
    header, rows = text.lstrip().split("\n", 1)
    assert header
    return Counter(letter for letter in rows if letter.isalnum())


def letters_of(table: ExoFopTable) -> Counter[str]:
    """Letters and digits of the rows that were read, kept or rejected."""
    texts = [*(cell for row in table.rows for cell in row), *(row.text for row in table.rejected)]
    return Counter(letter for text in texts for letter in text if letter.isascii() and letter.isalnum())
