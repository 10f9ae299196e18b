"""From rows of ExoFOP's tables to the candidates of a target."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exofop.candidates.rows import CTOI_ROW, PLANET_ROW, TIC_ID, TOI_ROW, renamed, table, toi_table

from btv_report.exofop.candidates.choosing import (
    MAX_FOREIGN_ROWS,
    MAX_ROWS,
    MAX_SENTENCES,
    CandidateRows,
    candidates_of,
)
from btv_report.exofop.types import ExoFopTable


def of_toi(*rows: dict[str, Any]) -> CandidateRows:
    return candidates_of(tic_id=TIC_ID, toi=toi_table(*rows), planet=None)


def reason(found: CandidateRows, place: int = 0) -> str:
    return found.values[place]["reason"]


def test_a_toi_row_is_a_candidate_with_its_values_in_our_units() -> None:
    found = of_toi({})
    (ephemeris,) = found.ephemerides
    assert (ephemeris.name, ephemeris.source) == ("1262.01", "exofop_toi")
    assert ephemeris.period_days == 20.8774413
    assert ephemeris.epoch_btjd == 3322.358008  # to the last digit: the difference is taken in decimals
    assert ephemeris.duration_hours == 3.562
    assert found.disagreements == ()
    assert found.values == [
        {
            "name": "1262.01",
            "source": "exofop_toi",
            "used": True,
            "reason": "",
            "period_days": 20.8774413,
            "epoch_btjd": 3322.358008,
            "duration_hours": 3.562,
            "depth_ppm": 771.0,
            "radius_earth": 2.16145,
            "disposition_tess": "PC",
            "disposition_tfopwg": "PC",
            "sectors": [14, 20, 21, 40, 41, 47, 48, 60, 74],
            "updated": "2024-04-01",
        }
    ]


def test_every_toi_row_of_the_target_is_a_candidate_in_the_order_of_its_number() -> None:
    found = of_toi(
        {"TOI": "1262.10", "Period (days)": "3.1"}, {"TOI": "1262.02", "Period (days)": "5.2"}, {"TOI": "999.01"}
    )
    assert [one.name for one in found.ephemerides] == ["999.01", "1262.02", "1262.10"]


@pytest.mark.parametrize("disposition", ["FP", "FA", "APC", "KP", "EB", "", "something new"])
def test_a_disposition_is_no_reason_to_leave_a_row_out(disposition: str) -> None:
    found = of_toi({"TFOPWG Disposition": disposition, "TESS Disposition": disposition})
    assert len(found.ephemerides) == 1
    assert found.values[0].get("disposition_tfopwg", "") == disposition


@pytest.mark.parametrize("missing", ["0", "0.0", "", "None", "nan"])
@pytest.mark.parametrize(
    ("column", "words"), [("Period (days)", "Period"), ("Duration (hours)", "Duration"), ("Epoch (BJD)", "Epoch")]
)
def test_f039_a_zero_or_nothing_is_a_missing_value_and_not_a_number(missing: str, column: str, words: str) -> None:
    found = of_toi({column: missing})
    assert found.ephemerides == ()
    assert reason(found) == f"{words} not given: 0, nothing or no number stands there."
    assert found.values[0]["used"] is False
    assert {"Period": "period_days", "Duration": "duration_hours", "Epoch": "epoch_btjd"}[words] not in found.values[0]
    assert found.values[0]["depth_ppm"] == 771.0  # what the row does give is still told


def test_f039_all_that_is_missing_is_named_in_one_sentence() -> None:
    found = of_toi({"Period (days)": "0", "Duration (hours)": "", "Depth (ppm)": "0", "Depth (mmag)": ""})
    assert reason(found).startswith("Period and duration not given")
    assert "depth_ppm" not in found.values[0]


def test_f043_rows_of_another_star_are_listed_and_never_used() -> None:
    found = of_toi(
        {}, {"TIC ID": "25155310", "TOI": "114.01"}, {"TIC ID": "", "TOI": "7.01"}, {"TIC ID": "x", "TOI": "8.01"}
    )
    assert [one.name for one in found.ephemerides] == ["1262.01"]
    reasons = {value["name"]: value["reason"] for value in found.values}
    assert reasons["114.01"] == "The row is of TIC 25155310, not of TIC 365938305."
    assert reasons["7.01"] == "Whose row it is is not known: it gives no TIC number."
    assert "('x') cannot be read" in reasons["8.01"]


def test_f043_the_many_other_stars_of_a_whole_table_are_counted_instead() -> None:
    others = [{"TIC ID": str(number), "TOI": f"{number}.01"} for number in range(1, MAX_FOREIGN_ROWS + 2)]
    found = of_toi(*others, {})
    assert [value["name"] for value in found.values] == ["1262.01"]
    assert found.disagreements == (
        f"{len(others)} rows of the TOI table are of other stars or of none, and were left aside.",
    )


def test_f043_a_toi_table_without_tic_numbers_is_nobodys() -> None:
    found = candidates_of(tic_id=TIC_ID, toi=renamed(toi_table({}), "TIC ID", "Star"), planet=None)
    assert found.ephemerides == ()
    assert "no column of TIC numbers" in reason(found)


@pytest.mark.parametrize("tic", ["TIC 365938305", "365938305.0", " 365938305 "])
def test_a_tic_number_is_known_in_every_form_that_tables_write(tic: str) -> None:
    assert len(of_toi({"TIC ID": tic}).ephemerides) == 1


@pytest.mark.parametrize(("digits", "tic_id"), [("1234", 1234), ("10000000000", 10**10)])
def test_f045_tic_numbers_of_four_and_of_eleven_digits_are_stars(digits: str, tic_id: int) -> None:
    found = candidates_of(tic_id=tic_id, toi=toi_table({"TIC ID": digits}), planet=None)
    assert len(found.ephemerides) == 1


def test_a_value_that_no_transit_can_have_is_refused_with_its_own_sentence() -> None:
    assert "a period is positive" in reason(of_toi({"Period (days)": "-3"}))
    assert "not shorter than its period" in reason(of_toi({"Period (days)": ".2", "Duration (hours)": "30"}))


def test_the_same_row_twice_is_one_candidate() -> None:
    found = of_toi({}, {})
    assert len(found.ephemerides) == 1
    assert [value["used"] for value in found.values] == [True, False]
    assert reason(found, 1) == "The row repeats row 1."
    assert found.disagreements == ()


def test_of_two_rows_of_one_toi_the_newer_is_used_and_the_difference_told() -> None:
    old = {"Period (days)": "20.9", "Period (days) err": "0.001", "Date TOI Updated (UTC)": "2021-01-01"}
    found = of_toi(old, {})
    assert [one.period_days for one in found.ephemerides] == [20.8774413]
    assert reason(found, 0) == "Row 2 is of the same candidate, updated 2024-04-01; it is used."
    assert found.disagreements == (
        "TOI 1262.01 (TOI table, row 2) and TOI 1262.01 (TOI table, row 1) do not agree: "
        "period 20.8774413 ± 0.00011 d against 20.9 ± 0.001 d.",
    )


def test_of_two_rows_of_one_toi_the_one_with_a_period_is_used_even_if_it_is_older() -> None:
    found = of_toi({"Period (days)": "0", "Date TOI Updated (UTC)": "2026-01-01"}, {})
    assert [value["used"] for value in found.values] == [False, True]
    assert reason(found, 0).startswith("Period not given")


@pytest.mark.parametrize("name", ["TOI 1262.01", "TOI-1262.01", "1262.01", "1262.0100000000001", " toi1262.01 "])
def test_every_spelling_of_a_toi_is_one_name(name: str) -> None:
    assert [one.name for one in of_toi({"TOI": name}).ephemerides] == ["1262.01"]


def test_a_name_that_would_deceive_is_replaced_by_its_place() -> None:
    found = of_toi({}, {"TOI": "\x1b[31m../../1262\u202e"})
    assert [value["name"] for value in found.values] == ["1262.01", "row 2"]


def test_two_candidates_with_one_ephemeris_are_called_one_signal() -> None:
    found = of_toi({}, {"TOI": "1262.02", "Epoch (BJD)": "2460343.2354493"})
    assert len(found.ephemerides) == 2
    assert len(found.disagreements) == 1
    assert found.disagreements[0].endswith("have the same period and mid-times: they are one signal.")


def test_without_a_toi_row_the_ctoi_rows_are_used() -> None:
    ctoi = table("ctoi", CTOI_ROW, {}, {"CTOI": "365938305.02", "Period (days)": ""})
    found = candidates_of(tic_id=TIC_ID, toi=toi_table(), ctoi=ctoi, planet=table("planet", PLANET_ROW, {}))
    (ephemeris,) = found.ephemerides
    assert (ephemeris.name, ephemeris.source) == ("365938305.01", "exofop_ctoi")
    assert (ephemeris.epoch_btjd, ephemeris.duration_hours) == (1700.5, 3.0)
    assert found.values[0]["depth_ppm"] == 900.0
    assert found.values[0]["comments"] == "single sector"
    assert reason(found, 2) == "The rows of the CTOI table are used."


def test_without_usable_ctoi_rows_the_planet_table_is_used() -> None:
    ctoi = table("ctoi", CTOI_ROW, {"Period (days)": "0"})
    found = candidates_of(tic_id=TIC_ID, toi=None, ctoi=ctoi, planet=table("planet", PLANET_ROW, {}))
    (ephemeris,) = found.ephemerides
    assert (ephemeris.name, ephemeris.source) == ("HD 104654 b", "exofop_planet")
    assert reason(found, 0).startswith("Period not given")


def test_a_target_with_toi_rows_never_takes_its_period_from_elsewhere() -> None:
    found = candidates_of(
        tic_id=TIC_ID, toi=toi_table({"Period (days)": "0"}), planet=table("planet", PLANET_ROW, {"TOI": "TOI 1262.01"})
    )
    assert found.ephemerides == ()
    assert reason(found, 1) == (
        "The candidates are those of the TOI table, which gives no usable ephemeris. "
        "Give --period, --epoch and --duration to use this row."
    )


def test_one_planet_of_several_sources_is_one_candidate() -> None:
    rows = [
        {"Table": "TOI", "TOI": "TOI 1262.01"},
        {"Table": "Exoplanet Archive", "TOI": "TOI 1262.01"},
        {"Table": "Kepler", "Name": "KOI-1 b", "Date": "2025-01-01"},
        {"Name": "HD 104654 c", "Period (days)": "30.1"},
    ]
    found = candidates_of(tic_id=TIC_ID, toi=None, planet=table("planet", PLANET_ROW, *rows))
    assert [one.name for one in found.ephemerides] == ["1262.01", "HD 104654 c"]
    by_place = {value["name"] + value["reason"][:3]: value["used"] for value in found.values}
    assert sum(by_place.values()) == 2
    assert "The row repeats the transits of another one, which is used." in {value["reason"] for value in found.values}


def test_a_stars_number_without_a_planets_names_no_candidate() -> None:
    rows = [{"TOI": "TOI 1262"}, {"TOI": "TOI 1262", "Name": "HD 104654 c", "Period (days)": "30.1"}]
    found = candidates_of(tic_id=TIC_ID, toi=None, planet=table("planet", PLANET_ROW, *rows))
    assert [one.name for one in found.ephemerides] == ["HD 104654 b", "HD 104654 c"]


def test_the_planet_tables_differences_from_the_toi_row_are_told_and_not_merged() -> None:
    planet = table("planet", PLANET_ROW, {"TOI": "TOI 1262.01", "Period (days)": "10.4387", "Radius (R_Earth)": "2.2"})
    found = candidates_of(tic_id=TIC_ID, toi=toi_table({}), planet=planet)
    assert [one.period_days for one in found.ephemerides] == [20.8774413]
    (sentence,) = found.disagreements
    assert "1262.01 (planet table, Exoplanet Archive, row 1) do not agree" in sentence
    assert "period 20.8774413 ± 0.00011 d against 10.4387 ± 0.001 d" in sentence
    assert "radius" not in sentence


def test_a_column_in_an_unknown_unit_is_not_read_and_told() -> None:
    found = candidates_of(
        tic_id=TIC_ID, toi=renamed(toi_table({}), "Duration (hours)", "Duration (fortnights)"), planet=None
    )
    assert found.ephemerides == ()
    assert "'Duration (fortnights)'" in found.disagreements[0]


@pytest.mark.parametrize(
    ("unit", "text", "hours"),
    [("days", "0.125", 3.0), ("d", "0.125", 3.0), ("minutes", "180", 3.0), ("hrs", "3.0", 3.0), ("h", "3", 3.0)],
)
def test_f108_a_duration_is_converted_by_the_unit_of_its_column(unit: str, text: str, hours: float) -> None:
    given_table = renamed(toi_table({"Duration (hours)": text}), "Duration (hours)", f"Duration ({unit})")
    (ephemeris,) = candidates_of(tic_id=TIC_ID, toi=given_table, planet=None).ephemerides
    assert ephemeris.duration_hours == pytest.approx(hours, rel=1e-12)


def test_f108_a_radius_in_jupiters_is_converted() -> None:
    given_table = renamed(toi_table({}), "Planet Radius (R_Earth)", "Planet Radius (R_Jup)")
    found = candidates_of(tic_id=TIC_ID, toi=given_table, planet=None)
    assert found.values[0]["radius_earth"] == pytest.approx(2.16145 * 11.209, rel=1e-4)


def test_headers_in_other_capitals_are_the_same_columns() -> None:
    shouted = ExoFopTable("toi", tuple(column.upper() for column in TOI_ROW), toi_table({}).rows)
    assert candidates_of(tic_id=TIC_ID, toi=shouted, planet=None) == of_toi({})


def test_nothing_known_is_no_candidate_and_no_sentence() -> None:
    assert candidates_of(tic_id=TIC_ID, toi=None, planet=None) == CandidateRows((), [], ())
    assert candidates_of(tic_id=TIC_ID, toi=toi_table(), planet=None) == CandidateRows((), [], ())


def test_a_flood_of_rows_is_bounded_and_told() -> None:
    rows = [
        {"TOI": f"1262.{number:02d}", "Period (days)": f"{number}.5", "Depth (ppm)": "5"} for number in range(1, 100)
    ]
    found = of_toi(*rows, *({"TOI": f"9999.{number:02d}"} for number in range(1, 100)))
    assert len(found.values) == MAX_ROWS
    assert len(found.disagreements) == MAX_SENTENCES + 1
    assert found.disagreements[0] == f"The TOI table has 198 rows of the target; the first {MAX_ROWS} were looked at."
    assert found.disagreements[-1].endswith("more disagreements are not told.")


cell = st.one_of(
    st.sampled_from(
        ["", "0", "-1", "1e308", "1e-308", "nan", "None", "2460322.358008", "60322.4", "3322.3", "٣", "1_0"]
    ),
    st.floats(allow_nan=True, allow_infinity=True).map(repr),
    st.text(max_size=12),
)
hostile_row = st.fixed_dictionaries({}, optional=dict.fromkeys(TOI_ROW, cell))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=st.lists(hostile_row, max_size=6), others=st.lists(hostile_row, max_size=3))
def test_every_row_of_any_table_is_accounted_for(rows: list[dict[str, str]], others: list[dict[str, str]]) -> None:
    planet = table("planet", PLANET_ROW, *({"Name": row.get("TOI", "b"), **row} for row in others))
    found = candidates_of(tic_id=TIC_ID, toi=toi_table(*rows), planet=planet)
    assert len(found.values) == len(rows) + len(others)
    used = [value for value in found.values if value["used"]]
    assert [value["name"] for value in used] == [one.name for one in found.ephemerides]
    assert len({one.name for one in found.ephemerides}) == len(found.ephemerides)
    assert all(bool(value["reason"]) is not value["used"] for value in found.values)
    json.dumps(found.values, allow_nan=False)
    assert all(name.isascii() and name.isprintable() for name in (value["name"] for value in found.values))
