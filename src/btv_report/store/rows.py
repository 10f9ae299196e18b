"""A whole run record as rows of the store's tables, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from btv_report.record import RunRecord
from btv_report.store import tables
from btv_report.store.canonical import canonical_value, record_sha256, run_id_of
from btv_report.store.columns import Item, Row, Table

_LISTS = {
    "candidates": tables.CANDIDATE,
    "answers": tables.REMOTE_ANSWER,
    "products": tables.PRODUCT,
    "light_curves": tables.LIGHT_CURVE,
    "folds": tables.FOLD,
    "transits": tables.TRANSIT,
}
_EXOFOP_LISTS = {
    "candidates": tables.EXOFOP_CANDIDATE,
    "notes": tables.EXOFOP_NOTE,
    "tables": tables.EXOFOP_TABLE,
    "contrast_curves": tables.CONTRAST_CURVE,
    "light_curves": tables.EXTERNAL_LIGHT_CURVE,
}  # absent in records before ExoFOP was asked itself
_RUN_FIELDS = ("started_at", "command", "parameters", "versions", "simulated")
_RECORD_FIELDS = ("schema_version", "status", "warnings")
_HELD_ELSEWHERE = {"run", "target", "exofop", "pixel_views", "checks", *_LISTS}
_IMAGE_STAMPS = {"reference_image", "in_transit_mean", "difference_image"}
_STAMP_UNITS = {"difference_snr": "1", "depth_map_ppm": "ppm", "aperture_mask": "1"}


@dataclass(frozen=True)
class RunRows:
    """
    One run as rows.

    Attributes
    ----------
    run_id, tic_id, record_sha256 : identity of the run
    rows : table name to rows in the order of the table's columns
    """

    run_id: str
    tic_id: int
    record_sha256: str
    rows: Mapping[str, list[Row]]


def rows_of_record(record: RunRecord) -> RunRows:
    """
    Turn a run record into rows.

    Raises
    ------
    ValueError
        If the record is not of the shape of `record.RunRecord`, or not JSON; the message names the place.
    """
    plain = cast(Item, canonical_value(record, "record"))
    sha256 = record_sha256(record)
    try:
        identity = run_id_of(plain["run"]["started_at"], sha256)
        tic_id = plain["target"]["tic_id"]
        if not isinstance(tic_id, int) or isinstance(tic_id, bool):
            raise TypeError(f"target.tic_id is {tic_id!r}, not a whole number")
        return RunRows(identity, tic_id, sha256, _rows(plain, identity, tic_id, sha256))
    except KeyError as error:
        raise ValueError(f"The run record has no field {error}.") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"The run record has not the shape it should have: {error}.") from error


def _rows(record: Item, run_id: str, tic_id: int, sha256: str) -> dict[str, list[Row]]:
    """Rows of all tables."""
    place = {"run_id": run_id}
    rows: dict[str, list[Row]] = {table.name: [] for table in tables.RECORD_TABLES}
    rows["run"] = [tables.RUN.encode(_run_item(record), {**place, "tic_id": tic_id, "record_sha256": sha256})]
    rows["target"] = [tables.TARGET.encode(record["target"], place)]
    for key, table in _LISTS.items():
        rows[table.name] = [table.encode(item, {**place, "ordinal": n}) for n, item in enumerate(record[key])]
    for ordinal, view in enumerate(record["pixel_views"]):
        _add_view(rows, view, {**place, "ordinal": ordinal})
    views = {view["sector"]: view for view in reversed(record["pixel_views"])}
    for ordinal, check in enumerate(record["checks"]):
        _add_check(rows, check, {**place, "ordinal": ordinal}, views.get(check["sector"], {}))
    _add_exofop(rows, record["exofop"], place)
    return rows


def _run_item(record: Item) -> Item:
    """
    The fields of the `run` table: those of `run`, and those of the record that are no part of their own.

    Fields of `run` that have no column keep their place under `run`, so that they cannot be taken for the record's own.
    """
    run = record["run"]
    item = {key: run[key] for key in _RUN_FIELDS} | {key: record[key] for key in _RECORD_FIELDS}
    item |= {key: value for key, value in record.items() if key not in _HELD_ELSEWHERE and key not in item}
    unknown = _without(run, *_RUN_FIELDS)
    clashing = sorted((record.keys() & set(_RUN_FIELDS)) | (unknown.keys() & {"run"}))
    if clashing:
        raise ValueError(f"{', '.join(clashing)} stands at a place of the record where it cannot be kept apart")
    return item | ({"run": unknown} if unknown else {})


def _without(item: Item, *keys: str) -> Item:
    """A copy without some fields; KeyError when a field is not there."""
    copy = dict(item)
    for key in keys:
        del copy[key]
    return copy


def _add_exofop(rows: dict[str, list[Row]], exofop: Item, place: Item) -> None:
    """The row of ExoFOP and those of its lists; an empty list stays in `other`, where it is not taken for an absent one."""
    filled = {key: table for key, table in _EXOFOP_LISTS.items() if exofop.get(key)}
    rows["exofop"] = [tables.EXOFOP.encode(_without(exofop, "files", *filled), place)]
    for key, table in {"files": tables.EXOFOP_FILE, **filled}.items():
        rows[table.name] = [table.encode(item, {**place, "ordinal": n}) for n, item in enumerate(exofop[key])]


def _add_view(rows: dict[str, list[Row]], view: Item, place: Item) -> None:
    """The row of a pixel view and those of its neighbours."""
    rows["pixel_view"].append(tables.PIXEL_VIEW.encode(_without(view, "neighbours"), place))
    here = {"run_id": place["run_id"], "view_ordinal": place["ordinal"], "sector": view["sector"]}
    for ordinal, star in enumerate(view["neighbours"]):
        rows["neighbour"].append(tables.NEIGHBOUR.encode(star, {**here, "ordinal": ordinal}))


def _add_check(rows: dict[str, list[Row]], check: Item, place: Item, view: Item) -> None:
    """The row of a check result and those of its metrics and stamps; `view` is the pixel view of its sector, or empty."""
    rows["check_result"].append(tables.CHECK_RESULT.encode(_without(check, "metrics", "stamps"), place))
    here = {key: check[key] for key in ("check_id", "candidate", "sector")}
    here |= {"run_id": place["run_id"], "check_ordinal": place["ordinal"]}
    for name, metric in sorted(check["metrics"].items()):
        rows["metric"].append(tables.METRIC.encode(metric, {**here, "name": name}))
    corner = {key: view.get(key) for key in ("corner_row", "corner_column")}
    for name, stamp in sorted(check["stamps"].items()):
        unit = stamp_unit(name, view.get("image_unit"))
        rows["stamp"].append(tables.STAMP.encode(stamp, {**here, **corner, "name": name, "unit": unit}))


def stamp_unit(name: str, image_unit: str | None) -> str | None:
    """Unit of a check's stamp: by its name, or that of the sector's pixels; None when that is not known."""
    if name in _IMAGE_STAMPS:
        return image_unit
    if name == "gradient_magnitude":
        return None if image_unit is None else f"{image_unit} / pixel"
    return _STAMP_UNITS.get(name)


Found = Mapping[str, list[Item]]  # table name to rows of one run as column name to value, in order


def record_of_rows(found: Found) -> RunRecord:
    """Put a run record together again from the rows of one run."""
    record: Item = {key: _items(table, found) for key, table in _LISTS.items()}
    item = tables.RUN.decode(found["run"][0])
    record["run"] = {key: item.pop(key) for key in _RUN_FIELDS} | item.pop("run", {})
    record |= item
    record["target"] = tables.TARGET.decode(found["target"][0])
    lists = {key: _items(table, found) for key, table in _EXOFOP_LISTS.items() if found[table.name]}
    record["exofop"] = tables.EXOFOP.decode(found["exofop"][0]) | {"files": _items(tables.EXOFOP_FILE, found)} | lists
    record["pixel_views"] = [
        tables.PIXEL_VIEW.decode(row)
        | {"neighbours": [tables.NEIGHBOUR.decode(star) for star in _of(found["neighbour"], "view_ordinal", row)]}
        for row in found["pixel_view"]
    ]
    record["checks"] = [
        tables.CHECK_RESULT.decode(row)
        | {
            "metrics": _named(tables.METRIC, _of(found["metric"], "check_ordinal", row)),
            "stamps": _named(tables.STAMP, _of(found["stamp"], "check_ordinal", row)),
        }
        for row in found["check_result"]
    ]
    return cast(RunRecord, record)


def _items(table: Table, found: Found) -> list[Item]:
    return [table.decode(row) for row in found[table.name]]


def _of(rows: Iterable[Item], key: str, parent: Item) -> list[Item]:
    """The rows that belong to a parent row."""
    return [row for row in rows if row[key] == parent["ordinal"]]


def _named(table: Table, rows: Iterable[Item]) -> Item:
    """Metrics and stamps of a check by name."""
    return {row["name"]: table.decode(row) for row in rows}
