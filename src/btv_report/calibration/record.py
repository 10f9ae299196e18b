"""
The calibration record: the truth tables as JSON, with the method, code and files that made them.

One such file ships with each release; a workspace may hold its own. Pages and terminal are made from the record alone, so
that they cannot say other numbers than it does. The record is canonical JSON and a newline:

- `schema_version`, `method_version`, `code_version`, `code_sha256`, `effort_share` (1 for a release)
- `files[]`: `file`, `sha256` of the real files that tables used
- `tables[]`: `key`, `title`, `asked`, `method`, `columns[]` (`name`, `heading`, `unit`), `rows[]` (`values`, `met`), `met`,
  `missing`, `notes[]`, `samples`. What was not measured or not asked is absent. A rate is `count`, `total`, and the `low` and
  `high` end of its 95 % interval, as fractions.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

from btv_report.calibration.table import Rate, Row, Table, Value
from btv_report.checks.thresholds import METHOD_VERSION
from btv_report.errors import IntegrityError
from btv_report.store.canonical import canonical_bytes

SCHEMA_VERSION = 1
FORMAT = "btv-report calibration"
RELEASE_FILE = Path(__file__).with_name("release.json")
FILES_SAMPLE = "files"
"""A table names the real files it used in `samples["files"]`: a list of {"file", "sha256"}."""
_DIGITS = 6


class CalibrationRecord(TypedDict):
    """What the file holds; `tables` are plain JSON values as the module's docstring lists them."""

    format: str
    schema_version: int
    method_version: str
    code_version: str
    code_sha256: str
    effort_share: float
    files: list[dict[str, str]]
    tables: list[dict[str, Any]]


def make_record(tables: Sequence[Table], effort_share: float) -> CalibrationRecord:
    """The record of tables that were made by this code."""
    from btv_report._version import __version__
    from btv_report.code_version import code_sha256

    files = {entry["file"]: entry for table in tables for entry in table.samples.get(FILES_SAMPLE, ())}
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "method_version": METHOD_VERSION,
        "code_version": __version__,
        "code_sha256": code_sha256(),
        "effort_share": effort_share,
        "files": [files[name] for name in sorted(files)],
        "tables": [_table_value(table) for table in tables],
    }


def record_bytes(record: CalibrationRecord) -> bytes:
    """The bytes of the file; the same record has the same bytes."""
    return canonical_bytes(dict(record)) + b"\n"


def read_record(path: Path) -> CalibrationRecord:
    """
    Read a calibration record.

    Raises
    ------
    IntegrityError
        If the file is no calibration record.
    """
    hint = "Make it again with `btv-report calibrate`."
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise IntegrityError(f"{path.name} is not JSON ({error}).", hint=hint, path=path) from error
    known = isinstance(content, dict) and content.get("format") == FORMAT
    if not known or content.get("schema_version") != SCHEMA_VERSION or not isinstance(content.get("tables"), list):
        raise IntegrityError(f"{path.name} holds no calibration of this version of btv-report.", hint=hint, path=path)
    return cast(CalibrationRecord, content)


def _table_value(table: Table) -> dict[str, Any]:
    value: dict[str, Any] = {
        "key": table.key,
        "title": table.title,
        "asked": table.asked,
        "method": table.method,
        "columns": [{"name": c.name, "heading": c.heading, "unit": c.unit} for c in table.columns],
        "rows": [_row_value(row) for row in table.rows],
        "notes": list(table.notes),
        "samples": _rounded(dict(table.samples)),
    }
    if table.missing:
        value["missing"] = table.missing
    if table.met is not None:
        value["met"] = table.met
    return value


def _row_value(row: Row) -> dict[str, Any]:
    values = {name: _cell_value(value) for name, value in row.values.items() if value is not None}
    return {"values": values} if row.met is None else {"values": values, "met": row.met}


def _cell_value(value: Value) -> Any:
    if isinstance(value, Rate):
        low, high = value.interval
        return {"count": value.count, "total": value.total, "low": _round(low), "high": _round(high)}
    return _rounded(value)


def _rounded(value: Any) -> Any:
    """Floats to six significant digits: the rest is rounding of the machine, and not the method's."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return _round(value) if isinstance(value, float) else value


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else value
