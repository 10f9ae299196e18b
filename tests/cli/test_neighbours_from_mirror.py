"""Neighbours: a table in the mirror is used when none is named, and the archives' own tables are taken as they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from btv_report.simulation.fits_files import WrittenScene

TIC_ID = 9000000077
EPHEMERIS = ("--period", "1.3", "--epoch", "2100.9", "--duration", "2.0")


@pytest.fixture
def mirror(star: WrittenScene, tmp_path: Path) -> Path:
    """The star's pixel file in a mirror of its own."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    shutil.copy(star.target_pixel_files[0], folder)
    return folder


def record_of(ran: Any, workspace: Path) -> dict[str, Any]:
    record = json.loads((workspace / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json").read_bytes())
    assert isinstance(record, dict)
    return record


def test_a_table_in_the_mirror_is_used_and_recorded_by_its_hash(
    run: Any, mirror: Path, star: WrittenScene, tmp_path: Path
) -> None:
    table = mirror / "tables" / f"tic_{TIC_ID}_neighbours.csv"
    table.parent.mkdir()
    shutil.copy(star.neighbours, table)
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    assert ran.code == 0, ran.stderr
    record = record_of(ran, tmp_path / "workspace")
    parameters = record["run"]["parameters"]
    assert parameters["neighbours"] is None
    assert parameters["neighbours_from_mirror"] == table.name
    assert parameters["neighbours_sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    (view,) = record["pixel_views"]
    assert (view["neighbours_known"], [item["star_id"] for item in view["neighbours"]]) == (True, ["SIM 77-1"])
    assert view["n_neighbours"] == 1


def test_the_table_that_is_named_goes_before_the_one_in_the_mirror(
    run: Any, mirror: Path, star: WrittenScene, tmp_path: Path
) -> None:
    (mirror / f"tic_{TIC_ID}_neighbours.csv").write_text("id,ra,dec\nother,211.7,-33.9\n", encoding="utf-8")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", "--neighbours", star.neighbours, "--json")
    parameters = record_of(ran, tmp_path / "workspace")["run"]["parameters"]
    assert parameters["neighbours"] == star.neighbours.name
    assert "neighbours_from_mirror" not in parameters


def test_an_unusable_table_in_the_mirror_costs_the_neighbours_and_not_the_dossier(
    run: Any, mirror: Path, tmp_path: Path
) -> None:
    (mirror / f"tic_{TIC_ID}_neighbours.csv").write_text("id,ra\n1,2\n", encoding="utf-8")
    (mirror / "neighbours").mkdir()
    (mirror / "neighbours" / f"tic_{TIC_ID}.csv").write_text("id,ra\n1,2\n", encoding="utf-8")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    assert ran.code == 0
    assert any("has no column dec" in text and "count as unknown" in text for text in ran.answer["warnings"])
    assert any("hold 2 tables of neighbours" in text for text in ran.answer["warnings"])
    assert not record_of(ran, tmp_path / "workspace")["pixel_views"][0]["neighbours_known"]
    assert run(str(TIC_ID), "--mirror", mirror, "--neighbours", mirror / f"tic_{TIC_ID}_neighbours.csv").code == 2


def test_rows_that_are_no_stars_are_said_to_be_left_out(run: Any, mirror: Path) -> None:
    table = mirror / f"tic_{TIC_ID}_neighbours.csv"
    table.write_text("ID,ra,dec,Tmag,disposition\n1,211.71,-33.9,12,\n2,211.71,-33.9,12,DUPLICATE\n", encoding="utf-8")
    answer = run(str(TIC_ID), "--mirror", mirror, "--offline", "--json").answer
    assert any("1 row is left out, because the TIC marks them" in text for text in answer["warnings"])


def test_a_crowded_field_keeps_the_record_small_and_counts_every_star(run: Any, mirror: Path, tmp_path: Path) -> None:
    lines = [
        f"{number},{211.7 + 1e-4 * (number % 40)},{-33.9 + 1e-4 * (number // 40)},{11 + 0.01 * number}"
        for number in range(200)
    ]
    table = mirror / f"tic_{TIC_ID}_neighbours.csv"
    table.write_text("\n".join(["id,ra,dec,tmag", *lines]), encoding="utf-8")
    ran = run(str(TIC_ID), "--mirror", mirror, "--offline", *EPHEMERIS, "--json")
    (view,) = record_of(ran, tmp_path / "workspace")["pixel_views"]
    assert (len(view["neighbours"]), max(item["magnitude"] for item in view["neighbours"]) < 11.6) == (40, True)
    assert view["n_neighbours"] == 189  # eleven lie within 1 arcsec of the target and count as it
    separations = [item["separation_arcsec"] for item in view["neighbours"]]
    assert separations == sorted(separations)
