"""One number for each neighbouring star, the same on every picture and in every table of a page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from btv_report.record import RunRecord

NOT_NEIGHBOURS = frozenset({"target", "none of these"})


def star_numbers(record: RunRecord) -> dict[str, int]:
    """
    Number the neighbours of a record, from 1.

    Stars that lie on a stamp of any sector come first, the brightest first (unknown magnitudes last, then by separation);
    then those beyond the stamps; then those that only a check names.
    """
    order: dict[str, tuple[bool, float, float, str]] = {}
    for view in record.get("pixel_views", []):
        image = view.get("control_image")
        shape: list[float] = [float(size) for size in image["shape"]] if image else [math.inf, math.inf]
        for star in view.get("neighbours", []):
            inside = -0.5 <= star["row"] <= shape[0] - 0.5 and -0.5 <= star["column"] <= shape[1] - 0.5
            magnitude = math.inf if star["magnitude"] is None else star["magnitude"]
            rank = (not inside, magnitude, star["separation_arcsec"], star["star_id"])
            order[star["star_id"]] = min(rank, order.get(star["star_id"], rank))
    names = sorted(order, key=lambda name: order[name])
    for check in record.get("checks", []):
        details: Mapping[str, Any] = check.get("details") or {}
        for key in ("neighbours", "predicted_neighbours"):
            names += [str(star["star_id"]) for star in details.get(key) or [] if "star_id" in star]
    found = dict.fromkeys(name for name in names if name not in NOT_NEIGHBOURS)
    return {name: number for number, name in enumerate(found, start=1)}
