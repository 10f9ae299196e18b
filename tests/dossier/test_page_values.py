"""The page holds what the issue asks for, from a record alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btv_report.dossier.audit import RELEASE_YEAR, SOFTWARE
from btv_report.dossier.methods import build_methods
from btv_report.dossier.page import DossierPage, build_page
from btv_report.dossier.publish import dossier_json, publishable, read_dossier
from btv_report.dossier.results import metric_quantity
from btv_report.dossier.shared_rows import share_rows
from btv_report.dossier.tables import Cell, CellKind, Column, Table
from btv_report.record import RunRecord

RUN_ID, SHA = "20261121T014500Z-1a2b3c4d", "ab" * 32


def page_of(record: RunRecord) -> DossierPage:
    """The page of a record, without figures."""
    return build_page(RUN_ID, SHA, publishable(record), {})


def texts(table: Any) -> list[list[str]]:
    """The texts of a table's rows."""
    return [[cell.text for cell in row] for row in table.rows]


def test_header_has_star_candidates_links_and_limit(record: RunRecord) -> None:
    header = page_of(record).header
    facts = {fact.term: fact.value for fact in header.facts}
    assert header.name == "TIC 188646744"
    assert facts["TESS magnitude"].text == "9.874"
    assert facts["Effective temperature"].text == "5123"
    assert facts["CROWDSAP"].text == "0.9812 (S83), 0.9812 (S84)"
    assert "Luminosity" not in facts
    assert any("Luminosity" in text and "neither a product's header nor a catalogue" in text for text in header.unknown)
    assert texts(header.candidates) == [["1262.01", "5.0317", "3540.26317", "3.21", "ExoFOP, TOI table"]]
    assert [link.href for link in header.archive_links] == [
        "https://exofop.ipac.caltech.edu/tess/target.php?id=188646744",
        "https://mast.stsci.edu/portal/Mashup/Clients/Mast/Portal.html?searchQuery=TIC%20188646744",
    ]
    assert "within 6.3 arcsec" in header.limits[0]


def test_limit_says_when_it_was_not_measured(record: RunRecord) -> None:
    for check in record["checks"]:
        check["details"].pop("resolution_radius_arcsec", None)
    assert "not measured" in page_of(record).header.limits[0]


def test_strip_has_every_check_by_sector_and_combined(record: RunRecord) -> None:
    (strip,) = page_of(record).strips
    assert strip.sectors == (83, 84)
    words = {row.check_id: [badge.word for badge in (*row.badges, row.combined) if badge] for row in strip.rows}
    assert words["V08"] == ["warn", "warn", "warn"]
    assert words["V20"] == ["pass", "not run", "pass"]


def test_badges_lead_to_the_section_of_their_sector(record: RunRecord) -> None:
    page = page_of(record)
    anchors = {section.anchor for group in page.checks for section in group.sections}
    anchors |= {sector.anchor for group in page.checks for section in group.sections for sector in section.sectors}
    badges = [badge for row in page.strips[0].rows for badge in (*row.badges, row.combined) if badge]
    assert badges
    assert {badge.href for badge in badges} <= {f"#{anchor}" for anchor in anchors}


def test_metrics_stand_with_their_errors_side_by_side(record: RunRecord) -> None:
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V09")
    assert section.metrics is not None
    rows = {row[0]: row[1:] for row in texts(section.metrics)}
    assert rows["Offset of the source from the target"] == ["1.4 ± 3.1", "1.4 ± 3.1", "1.4 ± 3.1", "arcsec"]
    assert rows["Offset in Dec"][0] == "−0.9"
    assert rows["Transit source, row"][2] == "—"
    assert not any(row.endswith(" err") for row in rows)
    assert list(rows).count("Statistical error of the offset") == 1


def test_component_offsets_have_the_decimals_of_the_whole() -> None:
    metrics: Any = {
        "offset_ra_arcsec": {"value": 1.2345, "unit": "arcsec"},
        "offset_err_arcsec": {"value": 0.123, "unit": "arcsec"},
    }
    assert metric_quantity("offset_ra_arcsec", metrics).text == "1.23"


@pytest.mark.parametrize(("value", "text"), [(5.404, "5.40"), (110.51, "111"), (-0.793, "−0.79")])
def test_sigmas_have_two_decimals_and_from_100_on_none(value: float, text: str) -> None:
    metrics: Any = {"core_correlation": {"value": value, "unit": "sigma"}}
    assert metric_quantity("core_correlation", metrics).text == text


@pytest.mark.parametrize(("depth", "words"), [(0.4, "0.40"), (1.7, "1.7 (above 1)"), (2.5, "2.5 (impossible)")])
def test_elimination_table_says_impossible_only_where_it_clearly_is(
    depth: float, words: str, record: RunRecord
) -> None:
    for check in record["checks"]:
        for star in check["details"].get("neighbours", []):
            star["required_depth"] = depth
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V09")
    stars = section.sectors[0].stars
    assert stars is not None
    assert {row[0]: row for row in texts(stars)}["TIC 188646750"][8] == words
    assert "known to 20 %" in stars.note


def test_elimination_table_has_probability_as_third_column(record: RunRecord) -> None:
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V09")
    stars = section.sectors[0].stars
    assert stars is not None
    rows = {row[0]: row for row in texts(stars)}
    assert [column.title for column in stars.columns][:3] == ["Star", "No.", "Probability"]
    assert rows["TIC 188646745"][2] == "< 10⁻⁶"
    assert rows["none of these"][1] == rows["none of these"][3] == "—"


def test_without_probabilities_the_columns_are_absent_and_a_note_says_why(record: RunRecord) -> None:
    for check in record["checks"]:
        for star in check["details"].get("neighbours", []):
            star.pop("probability", None)
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V09")
    notes = {sector.sector: sector.stars.note for sector in section.sectors if sector.stars}
    assert all("Probability" not in [c.title for c in s.stars.columns] for s in section.sectors if s.stars)
    assert "does not look like a single star" in notes[83]
    assert "No catalogue of neighbours" in notes[84]


def test_limit_names_the_one_sector_that_was_run(record: RunRecord) -> None:
    for check in record["checks"]:
        if check["check_id"] == "V09" and check["sector"] == 84:
            check["verdict"] = "not_run"
            check["details"]["resolution_radius_arcsec"] = 0.1
    assert (
        "at the signal-to-noise of sector 83, stars within 13 arcsec of the target" in page_of(record).header.limits[0]
    )


def test_crowdsap_of_a_light_curve_stands_in_for_the_pixel_file(record: RunRecord) -> None:
    for view in record["pixel_views"]:
        view["crowdsap"] = None
    for product in record["products"]:
        product["provenance"].pop("crowdsap", None)
    curve = next(p for p in record["products"] if p["used"] and p["kind"] == "light_curve" and p["sector"] == 84)
    curve["provenance"]["crowdsap"] = 0.9712
    facts = {fact.term: fact.value.text for fact in page_of(record).header.facts}
    assert facts["CROWDSAP"] == "0.9712 (S84)"


def test_missing_cadences_and_repacked_files_are_shown(record: RunRecord) -> None:
    pixels = next(p for p in record["products"] if p["used"] and p["kind"] == "target_pixel_file")
    pixels["provenance"] |= {
        "n_absent_cadences": 1234, "repacked": True, "flux_column": "FLUX", "flux_unit": "e-/s",
        "flux_err_source": "FLUX_ERR", "n_nonfinite_time": 3, "n_nonfinite_flux": 5,
        "n_impossible_times": 2, "times_in_order": False, "n_empty_cadences": 4,
    }  # fmt: skip
    card = next(card for card in page_of(record).provenance.cards if card.file == pixels["file"])
    facts = {fact.term: fact.value.text for fact in card.facts}
    assert facts["Cadence numbers missing"] == "1,234"
    assert facts["Re-packed"] == "yes"
    assert (facts["Flux column"], facts["Flux unit as used"]) == ("FLUX", "e⁻/s")
    assert (facts["Times not finite"], facts["Fluxes not finite"]) == ("3", "5")
    assert (facts["Times that cannot be of the sector"], facts["Cadences of zeros only"]) == ("2", "4")
    assert facts["Times in ascending order"] == "no"
    assert "Stamp" in facts
    assert "Normalisation" not in facts


def test_citation_follows_citation_cff(record: RunRecord) -> None:
    stated = (Path(__file__).parents[2] / "CITATION.cff").read_text()
    citation = page_of(record).citation
    assert f'message: "{citation.request}"' in stated
    assert f"date-released: {RELEASE_YEAR}-" in stated
    assert f'title: "{SOFTWARE.split("): ")[1].split(", version")[0]}"' in stated
    assert RUN_ID in citation.text
    assert [link.text[:18] for link in citation.methods] == ["Bryson et al. 2013", "Twicken et al. 201"]
    assert all(link.href for link in citation.methods)


def test_methods_page_takes_its_numbers_from_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {part.anchor: " ".join(part.paragraphs) for part in build_methods().prose}
    assert "within 0.45 T of its middle" in before["windows-and-noise"]
    assert "3 cadences or 0.25 T" in before["windows-and-noise"]
    assert "p = 0.05 is 1.96 sigma and p = 0.0027 is 3 sigma" in before["sigma"]
    monkeypatch.setattr("btv_report.checks.transits.IN_TRANSIT_HALF_WIDTH", 0.4)
    monkeypatch.setattr("btv_report.checks.matched_windows.N_DRAWS", 777)
    text = " ".join(build_methods().prose[0].paragraphs)
    assert "within 0.4 T of its middle" in text
    assert "777 times" in text


def test_flags_are_explained(record: RunRecord) -> None:
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V09")
    (note,) = section.sectors[1].outcome.flags
    assert note.flag == "NEIGHBOURS_UNKNOWN"
    assert "catalogue" in note.meaning


def test_transits_are_kept_or_dropped_with_the_reason(record: RunRecord) -> None:
    (table,) = page_of(record).transits
    rows = texts(table)
    assert len(rows) == 10
    assert rows[0][3:] == ["kept", "—", "2040 ± 140", "5, 6"]
    assert rows[2][3:] == ["dropped", "The window holds a gap of 1.2 d.", "—", "—"]


def test_f103_candidate_without_a_transit_in_the_data_says_zero(record: RunRecord) -> None:
    record["transits"] = []
    (table,) = page_of(record).transits
    assert not table.rows
    assert "0 expected, 0 used" in table.note


def test_provenance_has_every_field_of_a_light_curve(record: RunRecord) -> None:
    card = next(card for card in page_of(record).provenance.cards if card.file.endswith("0300-s_lc.fits"))
    facts = {fact.term: fact.value.text for fact in card.facts}
    assert facts["Quality mask (integer)"] == "17087"
    assert facts["Cadence measured from TIME"] == "120.000"
    assert facts["Flux column"] == "PDCSAP_FLUX"
    assert facts["Normalisation"] == "divided by the median of the used cadences, 15234.56 e⁻/s"
    assert facts["Flux errors from"] == "PDCSAP_FLUX_ERR"
    assert facts["Time scale (TIMESYS)"] == "TDB"
    assert facts["Reference day (BJDREFI)"] == "2457000"
    assert facts["Its fraction (BJDREFF)"] == "0"
    assert facts["Processing version (PROCVER)"] == "spoc-5.0.88-20260410"
    assert facts["Size"] == "2,039,040"
    assert card.bits is not None
    assert [row[:5] for row in texts(card.bits)][2] == [
        "13",
        "4,096",
        "scattered light (found automatically)",
        "312",
        "0",
    ]


def test_missing_bjdreff_is_said_to_be_absent(record: RunRecord) -> None:
    record["products"][0]["provenance"]["time_reference"]["bjdreff"] = None
    card = next(card for card in page_of(record).provenance.cards if card.file.endswith("_lc.fits"))
    assert not any("BJDREFF" in fact.term for fact in card.facts)
    assert "Its fraction (BJDREFF): absent, counted as 0." in card.unknown


def test_products_that_are_not_used_show_why(record: RunRecord) -> None:
    table = page_of(record).provenance.products
    assert table is not None
    reasons = [row[6] for row in texts(table) if row[5] == "not used"]
    assert reasons == ["20 s exposures; 120 s ones of this sector are used."] * 2


def test_without_ephemeris_the_page_says_so_and_how_to_give_one(make_record: Any) -> None:
    page = page_of(make_record(ephemeris=False))
    assert page.no_ephemeris is not None
    assert page.no_ephemeris.sentence.startswith("Checks not run: no ephemeris.")
    assert "--period" in page.no_ephemeris.command
    assert (page.strips, page.checks, page.transits) == ((), (), ())
    assert page.provenance.cards
    assert [group.anchor for group in page.controls] == ["pixels-s83", "pixels-s84"]
    assert [group.anchor for group in page.light_curves] == ["flux-s83", "flux-s84"]


def test_simulated_is_said_in_title_and_not_linked_or_cited(make_record: Any) -> None:
    page = page_of(make_record(simulated=True, tic_id=9000000001))
    assert page.title.startswith("SIMULATED: ")
    assert page.header.simulated
    assert page.header.archive_links == ()
    assert page.citation.text.startswith("SIMULATED")
    assert page.citation.acknowledgements == ()


def test_one_simulated_product_is_enough(record: RunRecord) -> None:
    record["products"][3]["simulated"] = True
    assert page_of(record).header.simulated


def test_unproven_exofop_answer_is_never_nothing_known(record: RunRecord) -> None:
    record["exofop"] |= {"state": "THROTTLED", "files": [], "n_files": 0}
    assert "not known from this run" in page_of(record).exofop.sentence
    record["exofop"]["state"] = "EMPTY"
    assert "nothing on this star" in page_of(record).exofop.sentence


def test_f060_f061_private_exofop_items_leave_no_trace(record: RunRecord) -> None:
    secret: Any = {
        **record["exofop"]["files"][0],
        "file_id": 77001,
        "filename": "secret-name.pdf",
        "state": "AUTH_REQUIRED",
    }
    record["exofop"]["files"].append(secret)
    record["exofop"]["n_files"] = 2
    public = publishable(record)
    assert public["exofop"]["n_files"] == 1
    assert b"secret-name" not in dossier_json(RUN_ID, SHA, public)
    whole: Any = record["exofop"]
    whole["private"] = True
    assert b"TIC188646744_20240301" not in dossier_json(RUN_ID, SHA, publishable(record))


def test_f064_json_holds_no_path_and_no_manifest(record: RunRecord) -> None:
    record["warnings"].append("Could not read /Users/observer/mirror/a.fits")
    record["run"]["parameters"]["mirror"] = ["/data/observer/mirror"]
    text = dossier_json(RUN_ID, SHA, publishable(record)).decode()
    assert "observer" not in text
    assert '"manifest":' not in text
    assert read_dossier(text)["run"]["parameters"]["mirror"] == ["mirror"]


def test_f129_json_is_strict_and_canonical(record: RunRecord) -> None:
    record["light_curves"][0]["scatter_ppm"] = float("nan")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    data = dossier_json(RUN_ID, SHA, publishable(record))
    content = json.loads(data, parse_constant=refuse)
    assert read_dossier(data)["light_curves"][0]["scatter_ppm"] is None
    assert content["run_id"] == RUN_ID
    assert data == dossier_json(RUN_ID, SHA, publishable(record))


def test_what_every_sector_would_say_of_its_stars_is_said_once(record: RunRecord) -> None:
    page = page_of(record)
    notes = [
        table.note
        for checks in page.checks
        for section in checks.sections
        for table in (section.stars, *(sector.stars for sector in section.sectors))
        if table is not None and table.note
    ]
    assert notes
    assert len(notes) == len(set(notes))


def test_what_several_checks_are_held_against_stands_once_with_their_names(record: RunRecord) -> None:
    (checks,) = page_of(record).checks
    (shared, *_) = checks.common
    (row,) = [texts for texts in texts(shared) if texts[0] == "p fail"]
    assert row[-1] == "V08, V09, V10, V20"
    kept = [section.thresholds for section in checks.sections if section.thresholds is not None]
    assert not any(row[0] == "p fail" for table in kept for row in texts(table))


def test_a_row_that_only_one_check_has_stays_with_it() -> None:
    def table(*names: str) -> Table:
        return Table("t", "", (Column("Name"),), tuple((Cell(name),) for name in names))

    common, own = share_rows([("V08", table("a", "b")), ("V09", table("a")), ("V10", None)], "c", "common")
    assert common is not None
    assert texts(common) == [["a", "V08, V09"]]
    assert [None if left is None else texts(left) for left in own] == [[["b"]], None, None]
    assert share_rows([("V08", table("a")), ("V09", table("b"))], "c", "")[0] is None


def test_what_all_files_state_alike_stands_once(record: RunRecord) -> None:
    provenance = page_of(record).provenance
    terms = [fact.term for fact in provenance.common]
    assert {"Mission", "Time scale (TIMESYS)"} <= set(terms)
    assert not {"Size", "SHA-256 of the bytes as they lie"} & set(terms)
    assert replace(provenance, cards=provenance.cards[:1]).common == ()


def test_a_table_is_numeric_when_most_of_its_cells_are() -> None:
    number, text = Cell("1", CellKind.NUMBER), Cell("one")
    assert Table("t", "", (), ((text, number, number, text), (text, number, text, number))).numeric
    assert not Table("t", "", (), ((number, text, number),)).numeric
    assert not Table("t", "", (), ()).numeric


def test_the_data_file_reads_back_as_the_publishable_record(record: RunRecord) -> None:
    public = publishable(record)
    data = dossier_json(RUN_ID, SHA, public)
    whole = {"run_id": RUN_ID, "record_sha256": SHA, **public}
    assert read_dossier(data) == whole
    stamp = next(iter(record["checks"][1]["stamps"].values()))
    assert data.count(stamp["data"].encode()) == 1  # though several checks used it


def test_numbers_of_the_data_file_stand_at_their_places_for_any_reader_of_json(record: RunRecord) -> None:
    public = publishable(record)
    plain = json.loads(dossier_json(RUN_ID, SHA, public))
    for name in ("products", "candidates", "transits", "exofop", "target", "light_curves", "run"):
        assert plain[name] == dict(public)[name]
    for check, whole in zip(plain["checks"], public["checks"], strict=True):
        shared = {"stamps", "thresholds"}
        assert {k: v for k, v in check.items() if k not in shared} == {
            k: v for k, v in whole.items() if k not in shared
        }


def test_data_files_of_the_first_schema_can_still_be_read(record: RunRecord) -> None:
    earlier = {"run_id": RUN_ID, "record_sha256": SHA, **publishable(record)}
    assert read_dossier(json.dumps(earlier)) == earlier


@pytest.mark.parametrize("content", [{"schema_version": 3}, {}, []])
def test_a_data_file_of_a_later_schema_is_refused_in_a_sentence(content: object) -> None:
    with pytest.raises(ValueError, match="that this release can read"):
        read_dossier(json.dumps(content))


def test_publishing_changes_nothing_in_the_record(record: RunRecord) -> None:
    before = json.dumps(record, sort_keys=True)
    publishable(record)
    assert json.dumps(record, sort_keys=True) == before


def test_repeated_warnings_are_one_line_with_a_count(record: RunRecord) -> None:
    record["warnings"] = ["Sector 83: a.", "Sector 84: b.", "Sector 83: a."]
    assert page_of(record).warnings == ("Sector 83: a. (2 times)", "Sector 84: b.")


def test_reason_is_said_once(record: RunRecord) -> None:
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V20")
    assert section.sectors[1].outcome.reason == ""
    next(c for c in record["checks"] if c["check_id"] == "V20" and c["sector"] == 84)["summary"] = "Not run."
    section = next(s for s in page_of(record).checks[0].sections if s.check_id == "V20")
    assert section.sectors[1].outcome.reason == "The file has no aperture mask."


def test_metrics_stand_in_the_order_of_the_contract_whatever_the_order_of_the_record(record: RunRecord) -> None:
    shuffled: RunRecord = json.loads(json.dumps(record, sort_keys=True))
    sections = {section.check_id: section for section in page_of(shuffled).checks[0].sections}
    for check_id, first, last in (
        ("V08", "Centroid shift", "Source offset implied by the shift"),
        ("V09", "Peak pixel, row", "Probability that the target is the host"),
        ("V10", "Depth within 1.0 px", "Slope against radius, measured minus predicted"),
    ):
        table = sections[check_id].metrics
        assert table is not None
        names = [row[0] for row in texts(table)]
        assert (names[0], names[-1]) == (first, last)


@pytest.mark.parametrize(
    ("delta_chi2", "words"), [(1.0, "within 42 arcsec of the target"), (50.0, "within 6.3 arcsec of the source")]
)
def test_limit_reaches_as_far_from_the_target_as_the_region(delta_chi2: float, words: str, record: RunRecord) -> None:
    for check in record["checks"]:
        if check["check_id"] == "V09" and check["sector"] is None:
            check["details"] |= {
                "target": {"row": 5.0, "column": 5.0},
                "region_3sigma": [[5.0, 6.0], [7.0, 5.0], [5.0, 4.5]],
            }
            check["metrics"]["target_delta_chi2"] = {"value": delta_chi2, "unit": ""}
    assert words in page_of(record).header.limits[0]
