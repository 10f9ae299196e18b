"""The tables of the store: which part of a run record each holds, and in which columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from btv_report.record import FLOAT32, MASK, PositionValue
from btv_report.store.columns import Item, Table, columns_of
from btv_report.targets import StellarParameters

if TYPE_CHECKING:
    import numpy as np

# Queries of values need no pixels, and numpy costs more time to import than they take: it is imported with `stamps`,
# whose names these are.

POSITION_FIELDS = tuple(PositionValue.__annotations__)
STELLAR_FIELDS = tuple(field.name for field in dataclasses.fields(StellarParameters))


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

RUN = Table(
    "run",
    (
        *columns_of("run_id", "tic_id"),
        *columns_of(
            started_at="text", status="text", simulated="truth", record_schema_version="integer:schema_version"
        ),
        *columns_of("record_sha256"),
        *columns_of(command="texts", parameters="json", versions="json", warnings="texts"),
    ),
)
TARGET = Table(
    "target",
    (
        *columns_of("run_id", tic_id="bigint"),
        *columns_of(**{name: "truth" if name == "pm_known" else "real" for name in POSITION_FIELDS}, tmag="real"),
        *columns_of(**dict.fromkeys(STELLAR_FIELDS, "real"), source="text", aliases="json"),
    ),
    _flatten_target,
    _unflatten_target,
)
CANDIDATE = Table(
    "candidate",
    columns_of(
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
    columns_of("run_id", "ordinal", service="text", endpoint="text", state="text", asked_at="text", detail="text"),
)
PRODUCT = Table(
    "product",
    (
        *columns_of("run_id", "ordinal", kind="text", sector="integer", pipeline="text", exptime_s="real", uri="text"),
        *columns_of(file="text", sha256="text", fits_sum="text", state="text", used="truth", reason="text"),
        *columns_of(bytes="bigint", mission="text", camera="integer", ccd="integer", obs_id="text", origin="text"),
        *columns_of(
            creator="text", procver="text", date="text", simulated="truth", retrieved="text", provenance="json"
        ),
    ),
)
_LIGHT_CURVE_SERIES = ("flux_ppm",)
LIGHT_CURVE = Table(
    "light_curve",
    (
        *columns_of("run_id", "ordinal", product_sha256="text", sector="integer", pipeline="text", flux_column="text"),
        *columns_of(exptime_s="real", start_btjd="real", bin_days="real", flux_ppm="pixels", scatter_ppm="real"),
        *columns_of(n_used="integer"),
    ),
    _series_flatten(_LIGHT_CURVE_SERIES),
    _series_unflatten(_LIGHT_CURVE_SERIES),
)
_FOLD_SERIES = ("odd_ppm", "odd_err_ppm", "even_ppm", "even_err_ppm")
FOLD = Table(
    "fold",
    (
        *columns_of("run_id", "ordinal", candidate="text", start_hours="real", bin_hours="real"),
        *columns_of(**dict.fromkeys(_FOLD_SERIES, "pixels")),
        *columns_of(n_odd_transits="integer", n_even_transits="integer", sectors="integers"),
    ),
    _series_flatten(_FOLD_SERIES),
    _series_unflatten(_FOLD_SERIES),
)
PIXEL_VIEW = Table(
    "pixel_view",
    (
        *columns_of("run_id", "ordinal", sector="integer", product_sha256="text", n_row="integer", n_column="integer"),
        *columns_of(control_image="pixels", image_unit="text", aperture_mask="mask"),
        *columns_of(corner_row="integer", corner_column="integer", target_row="real", target_column="real"),
        *columns_of(sky_per_pixel_arcsec="json", neighbours_known="truth", wcs_note="text", crowdsap="real"),
        *columns_of(n_used="integer"),
    ),
    _flatten_view,
    _unflatten_view,
)
NEIGHBOUR = Table(
    "neighbour",
    (
        *columns_of("run_id", "view_ordinal", "ordinal", "sector", star_id="text", stamp_row="real:row"),
        *columns_of(stamp_column="real:column", magnitude="real", separation_arcsec="real"),
    ),
)
CHECK_RESULT = Table(
    "check_result",
    (
        *columns_of("run_id", "ordinal", check_id="text", candidate="text", sector="integer", verdict="text"),
        *columns_of(summary="text", reason="text", flags="texts", thresholds="json", parameters="json"),
        *columns_of(method_version="text", inputs="texts", details="json"),
    ),
)
METRIC = Table(
    "metric",
    (
        *columns_of("run_id", "check_id", "candidate", "sector", "name", value="real", unit="text"),
        *columns_of("check_ordinal"),
    ),
)
STAMP = Table(
    "stamp",
    (
        *columns_of("run_id", "check_id", "candidate", "sector", "name", "unit", n_row="integer", n_column="integer"),
        *columns_of("corner_row", "corner_column", pixels="pixels", dtype="text"),
        *columns_of("check_ordinal"),
    ),
    _flatten_stamp,
    _unflatten_stamp,
)
TRANSIT = Table(
    "transit",
    (
        *columns_of("run_id", "ordinal", candidate="text", sector="integer", number="integer", mid_btjd="real"),
        *columns_of(used="truth", reason="text", depth_ppm="real?", depth_ppm_err="real?"),
        *columns_of(peak_row="integer?", peak_column="integer?"),
    ),
)
EXOFOP = Table(
    "exofop",
    (
        *columns_of("run_id", state="text", detail="text", n_files="integer", generated_at="text"),
        *columns_of(manifest_sha256="text", answers="json", n_listed="integer?", disagreements="texts?"),
    ),
)
EXOFOP_FILE = Table(
    "exofop_file",
    (
        *columns_of("run_id", "ordinal", file_id="bigint", filename="text", type="text", date="text"),
        *columns_of(group_name="text:group", bytes="bigint", sha256="text", description="text", state="text"),
        *columns_of(tag="text?", user_name="text:user?", content="text?", older_versions="texts?", published="truth?"),
    ),
)
EXOFOP_CANDIDATE = Table(
    "exofop_candidate",
    (
        *columns_of("run_id", "ordinal", name="text", source="text", used="truth", reason="text", period_days="real?"),
        *columns_of(epoch_btjd="real?", duration_hours="real?", depth_ppm="real?", radius_earth="real?"),
        *columns_of(disposition_tess="text?", disposition_tfopwg="text?", sectors="integers?", updated="text?"),
        *columns_of(comments="text?"),
    ),
)
EXOFOP_NOTE = Table(
    "exofop_note",
    (
        *columns_of("run_id", "ordinal", note_id="bigint", user_name="text:user", group_name="text:group", tag="text"),
        *columns_of(date="text", text="text", n_left_out="integer", is_disposition="truth"),
    ),
)
EXOFOP_TABLE = Table(
    "exofop_table",
    (
        *columns_of("run_id", "ordinal", name="text", column_names="texts:columns", cells="json:rows"),
        *columns_of(n_rows="integer", n_rejected="integer"),
    ),
)
CONTRAST_CURVE = Table(
    "contrast_curve",
    (
        *columns_of("run_id", "ordinal", file_id="bigint", filename="text", sha256="text", layout="text"),
        *columns_of(instrument="text", filter="text", date="text", separation_arcsec="reals", delta_mag="reals"),
    ),
)
EXTERNAL_LIGHT_CURVE = Table(
    "external_light_curve",
    (
        *columns_of("run_id", "ordinal", file_id="bigint", filename="text", sha256="text", layout="text"),
        *columns_of(instrument="text", filter="text", time_system="text", n_points="integer"),
        *columns_of(candidate="text?", transit_number="integer?", hours_from_mid="reals?", flux_relative="reals?"),
        *columns_of(flux_relative_err="reals?", reason="text?"),
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
    EXOFOP_CANDIDATE,
    EXOFOP_NOTE,
    EXOFOP_TABLE,
    CONTRAST_CURVE,
    EXTERNAL_LIGHT_CURVE,
)
