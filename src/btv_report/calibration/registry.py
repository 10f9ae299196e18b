"""The truth tables, in the order of the page; a table's module is imported when it is made."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from btv_report.calibration.table import Table
from btv_report.calibration.trials import Effort, RealData

TableMaker = Callable[[Effort, RealData | None], Table]

TABLES: dict[str, str] = {
    "false-alarms": "btv_report.calibration.false_alarms:false_alarms_table",
    "power": "btv_report.calibration.power:power_table",
    "position": "btv_report.calibration.position:position_table",
    "region": "btv_report.calibration.region_host:region_table",
    "host": "btv_report.calibration.hosts:host_table",
    "host-prf": "btv_report.calibration.host_prf:host_prf_table",
    "reference": "btv_report.calibration.reference:reference_table",
    "answer-key": "btv_report.calibration.answer_key:answer_key_table",
    "aperture": "btv_report.calibration.aperture_ghost:aperture_table",
    "ghost": "btv_report.calibration.aperture_ghost:ghost_table",
    "confusion": "btv_report.calibration.confusion:confusion_table",
    "dead-pixels": "btv_report.calibration.dead_pixels:dead_pixels_table",
}
"""key -> "module:function"; the function takes (Effort, RealData or None) and returns a Table of that key."""


def table_maker(key: str) -> TableMaker:
    """The function that makes the table called `key`."""
    module, _, name = TABLES[key].partition(":")
    maker: TableMaker = getattr(import_module(module), name)
    return maker
