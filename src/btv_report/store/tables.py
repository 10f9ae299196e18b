"""
How the parts of a run record become rows, and rows become parts again, without losing a bit.

Columns hold what people query. What a column cannot hold exactly (a field this version does not know, a whole number in a
column of floats, a stamp of an unusual form) also goes to the row's `other`, as JSON, and wins when the row is read back.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from btv_report.record import FLOAT32, MASK, PositionValue
from btv_report.store.canonical import canonical_text
from btv_report.targets import StellarParameters

if TYPE_CHECKING:
    import numpy as np

Item = dict[str, Any]
Row = tuple[Any, ...]

# Queries of values need no pixels, and numpy costs more time to import than they take: it is imported with `stamps`,
# whose names these are.

POSITION_FIELDS = tuple(PositionValue.__annotations__)
STELLAR_FIELDS = tuple(field.name for field in dataclasses.fields(StellarParameters))


class Kind(StrEnum):
    """Types of columns, as DuckDB names them."""

    TEXT = "VARCHAR"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    REAL = "DOUBLE"
    TRUTH = "BOOLEAN"
    TEXTS = "VARCHAR[]"
    INTEGERS = "INTEGER[]"
    PIXELS = "FLOAT[]"
    MASK = "UTINYINT[]"
    JSON = "JSON"


@dataclass(frozen=True)
class Column:
    """
    One column.

    Attributes
    ----------
    name : name in the table
    kind : its type
    key : name of the field it holds; empty for columns that say where the row belongs
    optional : whether NULL means that the field is absent, rather than null
    """

    name: str
    kind: Kind
    key: str = ""
    optional: bool = False


def _same(item: Item) -> Item:
    """Most parts have one field a column."""
    return item


@dataclass(frozen=True)
class Table:
    """
    One table of the store and the part of the record it holds.

    Attributes
    ----------
    name : name of the table
    columns : in the order of the schema, without `other`, which is last in every table
    flatten : from a part of the record to one value a key
    unflatten : back again
    """

    name: str
    columns: tuple[Column, ...]
    flatten: Callable[[Item], Item] = _same
    unflatten: Callable[[Item], Item] = _same

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the order of a row."""
        return (*(column.name for column in self.columns), "other")

    def encode(self, item: Mapping[str, Any], place: Mapping[str, Any]) -> Row:
        """
        Make a row.

        Parameters
        ----------
        item : mapping
            A part of a canonical record.
        place : mapping
            Values of the columns that have no key, such as `run_id`.

        Raises
        ------
        ValueError
            If the part lacks a field.
        """
        flat = self.flatten(dict(item))
        values = {
            column.name: _to_column(column.kind, flat.get(column.key) if column.key else place[column.name])
            for column in self.columns
        }
        stands = self._decode_columns(values)
        lacking = sorted(stands.keys() - item.keys())
        if lacking:
            raise ValueError(f"{self.name} lacks {', '.join(lacking)}")
        other = {
            key: value
            for key, value in item.items()
            if key not in stands or canonical_text(stands[key]) != canonical_text(value)
        }
        return (*values.values(), canonical_text(other) if other else None)

    def decode(self, row: Mapping[str, Any]) -> Item:
        """Read the part of the record that a row (column name to value) holds."""
        item = self._decode_columns(row)
        if row["other"] is not None:
            item.update(json.loads(row["other"]))
        return item

    def _decode_columns(self, values: Mapping[str, Any]) -> Item:
        """What the columns alone say."""
        flat = {}
        for column in self.columns:
            value = values[column.name]
            if column.key and not (column.optional and value is None):
                flat[column.key] = json.loads(value) if column.kind is Kind.JSON and value is not None else value
        return self.unflatten(flat)


def _to_column(kind: Kind, value: Any) -> Any:
    """The value as the column takes it; None when it cannot; close to it when a float column gets a whole number."""
    if kind is Kind.JSON:
        return None if value is None else canonical_text(value)
    if not _FITS[kind](value):
        return None
    return float(value) if kind is Kind.REAL else value


def _is_real(value: Any) -> bool:
    """Floats fit whatever their size; whole numbers only where a float has every one of them."""
    return isinstance(value, float) or _is_integer(value, 2**53)


def _is_integer(value: Any, limit: int) -> bool:
    """Whether a value is a whole number (not a truth value) that a column of that limit holds."""
    return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(fits(item) for item in value)


_FITS: dict[Kind, Callable[[Any], bool]] = {
    Kind.TEXT: lambda value: isinstance(value, str),
    Kind.INTEGER: lambda value: _is_integer(value, 2**31),
    Kind.BIGINT: lambda value: _is_integer(value, 2**63),
    Kind.REAL: _is_real,
    Kind.TRUTH: lambda value: isinstance(value, bool),
    Kind.TEXTS: lambda value: _is_list(value, lambda item: isinstance(item, str)),
    Kind.INTEGERS: lambda value: _is_list(value, lambda item: _is_integer(item, 2**31)),
    Kind.PIXELS: lambda value: isinstance(value, list),
    Kind.MASK: lambda value: isinstance(value, list),
}


# --- parts that are nested in the record and flat in their table ---


def _flatten_target(item: Item) -> Item:
    position, stellar = item.get("position"), item.get("stellar")
    nested = {**(position if isinstance(position, dict) else {}), **(stellar if isinstance(stellar, dict) else {})}
    return {**nested, **item}


def _unflatten_target(flat: Item) -> Item:
    position = {key: flat.pop(key) for key in POSITION_FIELDS}
    stellar = {key: flat.pop(key) for key in STELLAR_FIELDS}
    is_known = any(value is not None for value in position.values())
    return {**flat, "position": position if is_known else None, "stellar": stellar}


def _pixels(stamp: Any, dtype: str) -> np.ndarray[Any, Any] | None:
    """Pixels of a stamp of the usual form; None for anything else, which then stands in `other`."""
    from btv_report.stamps import decode_stamp

    try:
        return decode_stamp(stamp) if stamp["dtype"] == dtype else None
    except (TypeError, KeyError, ValueError):
        return None


def _series_flatten(keys: tuple[str, ...]) -> Callable[[Item], Item]:
    """Stamps of shape [1, n] as lists."""

    def flatten(item: Item) -> Item:
        series = {key: _pixels(item.get(key), FLOAT32) for key in keys}
        return {**item, **{key: None if value is None else value.ravel().tolist() for key, value in series.items()}}

    return flatten


def _series_unflatten(keys: tuple[str, ...]) -> Callable[[Item], Item]:
    """Lists as stamps of shape [1, n]."""

    def unflatten(flat: Item) -> Item:
        return {**flat, **{key: _image(flat[key], 1, len(flat[key] or ())) for key in keys}}

    return unflatten


def _image(values: list[float] | None, n_row: int | None, n_column: int | None, dtype: str = FLOAT32) -> Any:
    """A list of pixels as a stamp; None when there is none, or its shape is not known."""
    if values is None or n_row is None or n_column is None or len(values) != n_row * n_column:
        return None
    import numpy as np

    from btv_report.stamps import encode_stamp

    return encode_stamp(np.array(values, dtype=dtype).reshape(n_row, n_column))


def _flatten_view(item: Item) -> Item:
    control, mask = _pixels(item.get("control_image"), FLOAT32), _pixels(item.get("aperture_mask"), MASK)
    n_row, n_column = (None, None) if control is None else control.shape
    return {
        **item,
        "n_row": n_row,
        "n_column": n_column,
        "control_image": None if control is None else control.ravel().tolist(),
        "aperture_mask": None if control is None or mask is None else mask.ravel().tolist(),
    }


def _unflatten_view(flat: Item) -> Item:
    n_row, n_column = flat.pop("n_row"), flat.pop("n_column")
    control = _image(flat["control_image"], n_row, n_column)
    mask = _image(flat["aperture_mask"], n_row, n_column, MASK)
    return {**flat, "control_image": control, "aperture_mask": mask}


def _flatten_stamp(item: Item) -> Item:
    dtype = item.get("dtype")
    pixels = _pixels(item, dtype) if isinstance(dtype, str) else None
    n_row, n_column = (None, None) if pixels is None else pixels.shape
    values = None if pixels is None else pixels.astype("f4").ravel().tolist()
    return {"n_row": n_row, "n_column": n_column, "pixels": values, "dtype": dtype}


def _unflatten_stamp(flat: Item) -> Item:
    dtype = flat["dtype"] if flat["dtype"] in {FLOAT32, MASK} else FLOAT32
    stamp = _image(flat["pixels"], flat["n_row"], flat["n_column"], dtype)
    return stamp or {"dtype": None, "shape": None, "data": None}


# --- the tables ---


def _columns(*names: str, **kinds: str) -> tuple[Column, ...]:
    """Columns without a key, then `name="kind"` columns; a `?` after the kind: optional; `kind:key` where they differ."""
    places = tuple(Column(name, _PLACES[name]) for name in names)
    return (*places, *(_column(name, text) for name, text in kinds.items()))


_PLACES = {
    "run_id": Kind.TEXT,
    "record_sha256": Kind.TEXT,
    "ordinal": Kind.INTEGER,
    "view_ordinal": Kind.INTEGER,
    "check_ordinal": Kind.INTEGER,
    "check_id": Kind.TEXT,
    "candidate": Kind.TEXT,
    "sector": Kind.INTEGER,
    "name": Kind.TEXT,
    "unit": Kind.TEXT,
    "corner_row": Kind.INTEGER,
    "corner_column": Kind.INTEGER,
    "tic_id": Kind.BIGINT,
}


def _column(name: str, text: str) -> Column:
    kind, _, key = text.rstrip("?").partition(":")
    return Column(name, Kind[kind.upper()], key or name, optional=text.endswith("?"))


RUN = Table(
    "run",
    (
        *_columns("run_id", "tic_id"),
        *_columns(started_at="text", status="text", simulated="truth", record_schema_version="integer:schema_version"),
        *_columns("record_sha256"),
        *_columns(command="texts", parameters="json", versions="json", warnings="texts"),
    ),
)
TARGET = Table(
    "target",
    (
        *_columns("run_id", tic_id="bigint"),
        *_columns(**{name: "truth" if name == "pm_known" else "real" for name in POSITION_FIELDS}, tmag="real"),
        *_columns(**dict.fromkeys(STELLAR_FIELDS, "real"), source="text", aliases="json"),
    ),
    _flatten_target,
    _unflatten_target,
)
CANDIDATE = Table(
    "candidate",
    _columns(
        "run_id",
        "ordinal",
        name="text",
        period_days="real",
        epoch_btjd="real",
        duration_hours="real",
        source="text",
    ),
)
REMOTE_ANSWER = Table(
    "remote_answer",
    _columns("run_id", "ordinal", service="text", endpoint="text", state="text", asked_at="text", detail="text"),
)
PRODUCT = Table(
    "product",
    (
        *_columns("run_id", "ordinal", kind="text", sector="integer", pipeline="text", exptime_s="real", uri="text"),
        *_columns(file="text", sha256="text", fits_sum="text", state="text", used="truth", reason="text"),
        *_columns(bytes="bigint", mission="text", camera="integer", ccd="integer", obs_id="text", origin="text"),
        *_columns(creator="text", procver="text", date="text", simulated="truth", retrieved="text", provenance="json"),
    ),
)
_LIGHT_CURVE_SERIES = ("flux_ppm",)
LIGHT_CURVE = Table(
    "light_curve",
    (
        *_columns("run_id", "ordinal", product_sha256="text", sector="integer", pipeline="text", flux_column="text"),
        *_columns(exptime_s="real", start_btjd="real", bin_days="real", flux_ppm="pixels", scatter_ppm="real"),
        *_columns(n_used="integer"),
    ),
    _series_flatten(_LIGHT_CURVE_SERIES),
    _series_unflatten(_LIGHT_CURVE_SERIES),
)
_FOLD_SERIES = ("odd_ppm", "odd_err_ppm", "even_ppm", "even_err_ppm")
FOLD = Table(
    "fold",
    (
        *_columns("run_id", "ordinal", candidate="text", start_hours="real", bin_hours="real"),
        *_columns(**dict.fromkeys(_FOLD_SERIES, "pixels")),
        *_columns(n_odd_transits="integer", n_even_transits="integer", sectors="integers"),
    ),
    _series_flatten(_FOLD_SERIES),
    _series_unflatten(_FOLD_SERIES),
)
PIXEL_VIEW = Table(
    "pixel_view",
    (
        *_columns("run_id", "ordinal", sector="integer", product_sha256="text", n_row="integer", n_column="integer"),
        *_columns(control_image="pixels", image_unit="text", aperture_mask="mask"),
        *_columns(corner_row="integer", corner_column="integer", target_row="real", target_column="real"),
        *_columns(sky_per_pixel_arcsec="json", neighbours_known="truth", wcs_note="text", crowdsap="real"),
        *_columns(n_used="integer"),
    ),
    _flatten_view,
    _unflatten_view,
)
NEIGHBOUR = Table(
    "neighbour",
    (
        *_columns("run_id", "view_ordinal", "ordinal", "sector", star_id="text", stamp_row="real:row"),
        *_columns(stamp_column="real:column", magnitude="real", separation_arcsec="real"),
    ),
)
CHECK_RESULT = Table(
    "check_result",
    (
        *_columns("run_id", "ordinal", check_id="text", candidate="text", sector="integer", verdict="text"),
        *_columns(summary="text", reason="text", flags="texts", thresholds="json", parameters="json"),
        *_columns(method_version="text", inputs="texts", details="json"),
    ),
)
METRIC = Table(
    "metric",
    (
        *_columns("run_id", "check_id", "candidate", "sector", "name", value="real", unit="text"),
        *_columns("check_ordinal"),
    ),
)
STAMP = Table(
    "stamp",
    (
        *_columns("run_id", "check_id", "candidate", "sector", "name", "unit", n_row="integer", n_column="integer"),
        *_columns("corner_row", "corner_column", pixels="pixels", dtype="text"),
        *_columns("check_ordinal"),
    ),
    _flatten_stamp,
    _unflatten_stamp,
)
TRANSIT = Table(
    "transit",
    (
        *_columns("run_id", "ordinal", candidate="text", sector="integer", number="integer", mid_btjd="real"),
        *_columns(used="truth", reason="text", depth_ppm="real?", depth_ppm_err="real?"),
        *_columns(peak_row="integer?", peak_column="integer?"),
    ),
)
EXOFOP = Table(
    "exofop",
    (
        *_columns("run_id", state="text", detail="text", n_files="integer", generated_at="text"),
        *_columns(manifest_sha256="text", answers="json"),
    ),
)
EXOFOP_FILE = Table(
    "exofop_file",
    (
        *_columns("run_id", "ordinal", file_id="bigint", filename="text", type="text", date="text"),
        *_columns(group_name="text:group", bytes="bigint", sha256="text", description="text", state="text"),
    ),
)
RECORD_TABLES = (
    RUN,
    TARGET,
    CANDIDATE,
    REMOTE_ANSWER,
    PRODUCT,
    LIGHT_CURVE,
    FOLD,
    PIXEL_VIEW,
    NEIGHBOUR,
    CHECK_RESULT,
    METRIC,
    STAMP,
    TRANSIT,
    EXOFOP,
    EXOFOP_FILE,
)
