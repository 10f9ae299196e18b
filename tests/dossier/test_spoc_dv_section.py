"""SPOC's numbers beside ours on a page, and the sentences where they disagree."""

from __future__ import annotations

from typing import Any

import pytest

from btv_report.dossier.figures.collect import all_figures
from btv_report.dossier.page import build_page
from btv_report.dossier.spoc_dv import SpocEvent, build_spoc_events
from btv_report.record import RunRecord
from btv_report.render.pages import contents, dossier_files

RUN = ("20261121T014500Z-1a2b3c4d", "0" * 64)


def image(**changes: Any) -> dict[str, Any]:
    spoc = {
        "row": 300.0,
        "column": 400.0,
        "row_err": 0.03,
        "column_err": 0.03,
        "quality": 0.9,
        "tic_offset_arcsec": 2.0,
    }
    spoc |= {"tic_offset_arcsec_err": 0.5, "tic_offset_ra_arcsec": 2.0, "tic_offset_dec_arcsec": 0.0}
    value = {
        "sector": 83, "status": "ok", "spoc": spoc, "ours": {**spoc, "quality": 0.88}, "distance_px": 0.02,
        "prf": {"kind": "gaussian", "description": "a Gaussian"}, "flags": [],
    }  # fmt: skip
    return {**value, **changes}


def event(**changes: Any) -> Any:
    value = {
        "candidate": "1262.01", "match": "the same period, mid-transits 2 min apart", "file": "spoc_dvr.xml",
        "sha256": "ab" * 32, "planet_number": 1, "toi": "1262.01", "sectors": [83], "period_days": 3.5, "epoch_btjd": 3540.0,
        "fit": "transit model", "numbers": {"ghost_core": 14.5, "ghost_halo": -0.32, "mes": 20.1}, "images": [image()],
    }  # fmt: skip
    return {**value, **changes}


@pytest.fixture
def quiet(record: RunRecord) -> RunRecord:
    """A record whose checks in sector 83 say what SPOC says."""
    say(record, "V09", "pass", offset_ra_arcsec=1.0, offset_dec_arcsec=0.5, offset_err_arcsec=2.6, offset_arcsec=1.1)
    say(record, "V20", "pass", core_correlation=12.0, halo_correlation=1.0)
    say(record, "V10", "pass", depth_ppm_pipeline=1000.0, depth_ppm_pipeline_err=30.0)
    return record


def say(record: RunRecord, check_id: str, verdict: str, **metrics: float) -> None:
    for check in record["checks"]:
        if (check["check_id"], check["candidate"], check["sector"]) == (check_id, "1262.01", 83):
            check["verdict"] = verdict
            check["metrics"] = {name: {"value": value, "unit": ""} for name, value in metrics.items()}
            return
    pytest.fail(f"the record holds no {check_id} of 1262.01 in sector 83")


def only(record: RunRecord, *events: Any) -> SpocEvent:
    record["spoc_dv"] = list(events)
    (found,) = build_spoc_events(record)
    return found


def test_nothing_disagrees_and_only_what_was_compared_is_said_to_agree(quiet: RunRecord) -> None:
    found = only(quiet, event())
    assert found.disagreements == ()
    assert found.agreement.endswith("compared: positions in the same pixels, offsets, ghost diagnostic.")
    sector, whole = found.tables
    assert [cell.text for cell in sector.rows[0][:4]] == ["83", "2.00 ± 0.50", "2.00 ± 0.50", "1.1 ± 2.6"]
    assert (sector.rows[0][4].text, sector.rows[0][4].reason) == ("—", "SPOC did not measure it")
    assert [cell.text for cell in whole.rows[2]] == ["Ghost: correlation of the core (σ)", "14.50", "12.00"]


def test_offsets_that_differ_beyond_three_sigma_with_the_floor_are_named(quiet: RunRecord) -> None:
    spoc = {**image()["spoc"], "tic_offset_ra_arcsec": -12.0}
    (sentence,) = only(quiet, event(images=[image(spoc=spoc)])).disagreements
    assert sentence == "Sector 83: V09's source lies 13.0 arcsec from SPOC's (4.9 σ with the floor)."


def test_a_fit_of_the_same_pixels_that_lands_elsewhere_is_named(quiet: RunRecord) -> None:
    (sentence,) = only(quiet, event(images=[image(distance_px=1.0)])).disagreements
    assert sentence.startswith("Sector 83: our fit of SPOC's own pixels lands 1.00 px from SPOC's position")
    assert only(quiet, event(images=[image(distance_px=1.0, status="not_run", reason="saturated")])).disagreements == ()


def test_ghosts_and_depths_that_differ_are_named(quiet: RunRecord) -> None:
    ghost = only(quiet, event(numbers={"ghost_core": 1.0, "ghost_halo": 9.0}))
    assert ghost.disagreements == (
        "SPOC's halo correlates with the transits more than its core, V20 does not find that.",
    )
    deep = only(quiet, event(numbers={"depth_ppm": 2000.0, "depth_ppm_err": 40.0}))
    assert deep.disagreements[0].startswith("Our depth is 0.50 times SPOC's, 20.0 σ apart.")


def test_a_search_over_several_sectors_is_held_against_all_of_ours(quiet: RunRecord) -> None:
    found = only(quiet, event(sectors=[83, 84]))
    assert [column.title for column in found.tables[1].columns][2] == "Ours, sectors 83, 84"


def test_a_judged_image_tells_which_point_response_it_could_not_have(quiet: RunRecord) -> None:
    images = [image(reason="the PRF set is not used"), image(sector=84, status="not_run", reason="the image is weak")]
    note = only(quiet, event(images=images)).tables[0].note
    assert note.endswith("point response. Not judged: the image is weak. The PRF set is not used.")


def test_the_page_holds_the_section_and_leads_to_it(quiet: RunRecord) -> None:
    quiet["spoc_dv"] = [event()]
    page = build_page(*RUN, quiet, all_figures(quiet))
    assert ("spoc-dv", "SPOC's DV") in contents(page)
    assert 'id="spoc-dv"' in dossier_files(*RUN, quiet)["tic/188646744/index.html"].decode()


def test_records_without_dv_reports_still_render(record: RunRecord) -> None:
    assert build_spoc_events(record) == ()
    assert "spoc-dv" not in dossier_files(*RUN, record)["tic/188646744/index.html"].decode()


@pytest.mark.parametrize(
    ("depth", "words"), [(500.0, "a ratio below 1 is expected where"), (2000.0, "Dilution does not explain this")]
)
def test_a_depth_apart_is_explained_in_its_own_direction(depth: float, words: str, quiet: RunRecord) -> None:
    numbers = {"depth_ppm": 1000.0, "depth_ppm_err": 20.0}
    say(quiet, "V10", "pass", depth_ppm_pipeline=depth, depth_ppm_pipeline_err=30.0)
    (sentence,) = only(quiet, event(numbers=numbers)).disagreements
    assert words in sentence


def test_columns_name_the_sectors_they_are_over(quiet: RunRecord) -> None:
    whole = only(quiet, event(sectors=[1, 2, 3, 83])).tables[-1]
    assert whole.columns[1].title == "SPOC, sectors 1 to 3, 83"
    assert whole.columns[2].title == "Ours, sectors 83, 84"
