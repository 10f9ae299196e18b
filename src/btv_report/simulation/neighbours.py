"""The catalogue of a scene's stars, as a user would get it from a cone search: the target is in it too."""

from __future__ import annotations

import csv
import io

from btv_report.simulation.scene import Scene


def neighbours_csv(scene: Scene) -> str:
    """
    Write the scene's stars as the csv that `--neighbours` takes.

    Columns `id, ra, dec` (deg, ICRS), `tmag`, `pmra, pmdec` (mas/yr, RA times cos Dec), `ref_epoch` (Julian year). Degrees
    carry ten decimals, 0.4 microarcsec; an unknown proper motion is an empty field.
    """
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["id", "ra", "dec", "tmag", "pmra", "pmdec", "ref_epoch"])
    for star in scene.all_stars:
        where = star.position
        motion = (f"{where.pmra_mas_per_yr:.3f}", f"{where.pmdec_mas_per_yr:.3f}") if where.pm_known else ("", "")
        table.writerow(
            [
                star.star_id,
                f"{where.ra_deg:.10f}",
                f"{where.dec_deg:.10f}",
                f"{star.tmag:.3f}",
                *motion,
                f"{where.ref_epoch_year:.1f}",
            ]
        )
    return out.getvalue()
