"""Words and numbers of figures: safe text, numbers rounded to their errors, slugs and CSV."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from btv_report.rounding import decimals_for

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EM DASH}"
MAX_TEXT = 120

CsvCell = str | int | float | np.float32 | None


def plain_text(text: object, *, limit: int = MAX_TEXT) -> str:
    """
    One line of text that can stand in a picture: characters that are invisible or not allowed in XML become U+FFFD.

    Control, bidi-override and private characters and lone surrogates are replaced; text beyond `limit` is cut with an
    ellipsis. Markup is not escaped here: that is the business of the writer (SVG, Plotly, template).
    """
    # A note of megabytes is cut before it is looked at closely.
    words = re.sub(r"\s+", " ", str(text)[: 8 * limit + 80]).strip()
    shown = "".join(
        "\ufffd" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"} else char for char in words
    )
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals (negative: rounded to tens ...) and a true minus sign; never `-0`."""
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def grouped(value: float, decimals: int) -> str:
    """As `fixed`; from 10,000 on with commas between thousands, as everywhere on the pages."""
    if abs(value) < 9999.5:
        return fixed(value, decimals)
    return f"{round(value, decimals):,.{max(decimals, 0)}f}".replace("-", MINUS)


def measured(value: float, unit: str, digits: int = 3) -> str:
    """A value with its unit; sigmas have two decimals, from 100 on none."""
    if unit == "sigma":
        return f"{fixed(value, 2 if abs(value) < 100 else 0)} {unit}"
    return f"{significant(value, digits)} {unit}"


def count_of(number: int, singular: str) -> str:
    """`1 transit`, `2 transits`, `15,012 cadences`."""
    return f"{number:,d} {singular}{'' if number == 1 else 's'}"


def significant(value: float | None, digits: int = 3) -> str:
    """A number without an error to so many significant digits; an em dash when unknown."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == 0:
        return "0"
    return grouped(value, max(digits - 1 - math.floor(math.log10(abs(value))), 0))


def with_error(value: float | None, error: float | None, unit: str = "") -> str:
    """`219 ± 64 ppm`: value and error rounded to two digits of the error; without a usable error four digits."""
    if value is None or not math.isfinite(value):
        return DASH
    tail = f" {unit}" if unit else ""
    if error is None or not math.isfinite(error) or error <= 0:
        return significant(value, 4) + tail
    decimals = decimals_for(error)
    return f"{grouped(value, decimals)} ± {grouped(error, decimals)}{tail}"


def slug(name: str) -> str:
    """A stable id of lower-case letters, digits and dashes; names that would collide carry 6 hex of their hash."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if re.fullmatch(r"[a-z]+|[0-9]+(\.[0-9]+)?", name):
        return text
    return f"{text[:24]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}".lstrip("-")


def _cell(value: CsvCell) -> str:
    """One CSV cell: numbers in full, text that a spreadsheet would take for a formula gets a leading apostrophe."""
    if value is None or (isinstance(value, float | np.floating) and not math.isfinite(value)):
        return ""
    if isinstance(value, np.float32):
        return str(value)  # the shortest digits that give the same float32 back
    if isinstance(value, int | float):
        return repr(value)
    text = plain_text(value, limit=1000)
    if text.startswith(("=", "+", "-", "@")):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",]', text) else text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[CsvCell]]) -> str:
    """CSV with a header line; unknown values are empty cells; lines end with a newline."""
    lines = [",".join(_cell(column) for column in columns)]
    lines.extend(",".join(_cell(value) for value in row) for row in rows)
    return "\n".join(lines) + "\n"
