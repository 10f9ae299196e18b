"""The star's parameters from ExoFOP's rows: chosen, never averaged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exofop.candidates.rows import STELLAR_ROW, TIC_ID, TOI_ROW, renamed, table, toi_table

from btv_report.exofop.candidates.stellar import stellar_of
from btv_report.exofop.types import ExoFopTable
from btv_report.targets import StellarParameters


def of(toi: ExoFopTable | None, *stellar: dict[str, Any]) -> tuple[StellarParameters | None, tuple[str, ...]]:
    rows = table("stellar", STELLAR_ROW, *stellar) if stellar else None
    return stellar_of(toi=toi, stellar=rows, tic_id=TIC_ID)


def test_a_toi_row_gives_the_parameters_in_solar_units() -> None:
    star, sentences = of(toi_table({}))
    assert star == StellarParameters(teff_k=5396.0, logg_cgs=4.50457, radius_rsun=0.9, mass_msun=0.94)
    assert sentences == ()


def test_the_stellar_table_alone_gives_them_too_and_a_missing_tic_column_is_the_asked_star() -> None:
    star, sentences = of(None, {})
    assert star == StellarParameters(
        teff_k=5400.0, logg_cgs=4.5, radius_rsun=0.91, mass_msun=0.95, luminosity_lsun=0.64, distance_pc=43.2
    )
    assert sentences == ()


def test_what_the_toi_row_lacks_comes_from_the_stellar_table_and_is_told() -> None:
    star, sentences = of(toi_table({}), {})
    assert star is not None
    assert (star.teff_k, star.radius_rsun, star.luminosity_lsun, star.distance_pc) == (5396.0, 0.9, 0.64, 43.2)
    assert sentences == (
        "The parameters of TIC 365938305 come from more than one row: effective temperature, log g, radius, mass from "
        "TOI 1262.01; luminosity, distance from the stellar table (TIC, 2019-04-15).",
    )


def test_rows_that_disagree_beyond_their_errors_are_told_and_not_averaged() -> None:
    star, sentences = of(toi_table({}), {"Radius (R_Sun)": "1.2", "Distance (pc)": "", "Luminosity (L_Sun)": ""})
    assert star is not None
    assert star.radius_rsun == 0.9
    assert sentences == (
        "The radius of TIC 365938305 is 0.9 ± 0.05 R_Sun in TOI 1262.01, which is used, and "
        "1.2 ± 0.05 R_Sun in the stellar table (TIC, 2019-04-15).",
    )


@pytest.mark.parametrize(("other", "told"), [("0.99", False), ("1.01", True), ("0.81", False), ("0.79", True)])
def test_a_disagreement_begins_where_the_error_bars_no_longer_touch(other: str, told: bool) -> None:
    newer = {"TOI": "1262.02", "Stellar Radius (R_Sun)": other, "Date TOI Updated (UTC)": "2020-01-01"}
    _, sentences = of(toi_table({}, newer))
    assert bool(sentences) is told


def test_values_without_errors_disagree_beyond_their_digits() -> None:
    no_error = {"Stellar Radius (R_Sun) err": ""}
    rounded = {"TOI": "1262.02", "Stellar Radius (R_Sun)": "0.8522660136222839", **no_error}
    first = {"Stellar Radius (R_Sun)": "0.85", **no_error}
    assert of(toi_table(first, rounded))[1] == ()
    assert len(of(toi_table(first, {**rounded, "Stellar Radius (R_Sun)": "0.856"}))[1]) == 1


def test_the_toi_row_that_was_updated_last_is_used() -> None:
    newer = {"TOI": "1262.02", "Stellar Eff Temp (K)": "5500", "Date TOI Updated (UTC)": "2025-01-01"}
    star, _ = of(toi_table({}, newer))
    assert star is not None
    assert star.teff_k == 5500.0


def test_the_catalogue_comes_before_an_observer_whatever_the_order_of_the_rows() -> None:
    observer = {"Table": "Stellar", "Teff (K)": "5000"}
    assert of(None, observer, {}) == of(None, {}, observer)
    star, _ = of(None, observer, {})
    assert star is not None
    assert star.teff_k == 5400.0


@pytest.mark.parametrize("column", ["Stellar Radius (R_Sun)", "Stellar Mass (M_Sun)", "Stellar Eff Temp (K)"])
def test_a_value_below_zero_is_not_used_and_told(column: str) -> None:
    star, sentences = of(toi_table({column: "-0.5"}))
    assert star is not None
    assert any("which no star has; it was not used" in sentence for sentence in sentences)
    assert -0.5 not in vars(star).values()


def test_f039_a_zero_is_a_missing_value_except_for_a_metallicity() -> None:
    row = {"Stellar Radius (R_Sun)": "0", "Stellar Mass (M_Sun)": "0.0", "Stellar Metallicity": "0"}
    star, sentences = of(toi_table(row))
    assert star is not None
    assert (star.radius_rsun, star.mass_msun, star.metallicity_dex) == (None, None, 0.0)
    assert sentences == ()


def test_a_metallicity_may_be_negative() -> None:
    star, _ = of(toi_table({"Stellar Metallicity": "-0.35"}))
    assert star is not None
    assert star.metallicity_dex == -0.35


def test_f108_units_are_those_of_the_column() -> None:
    far = renamed(table("stellar", STELLAR_ROW, {"Distance (pc)": "0.5"}), "Distance (pc)", "Distance (kpc)")
    star, _ = stellar_of(toi=None, stellar=far, tic_id=TIC_ID)
    assert star is not None
    assert star.distance_pc == 500.0
    big = renamed(table("stellar", STELLAR_ROW, {}), "Radius (R_Sun)", "Radius (R_Jup)")
    star, sentences = stellar_of(toi=None, stellar=big, tic_id=TIC_ID)
    assert star is not None
    assert star.radius_rsun is None
    assert "'Radius (R_Jup)' of the stellar table is in a unit that is not known" in sentences[0]


def test_f043_rows_of_another_star_are_never_used() -> None:
    assert of(toi_table({"TIC ID": "1"})) == (None, ())
    assert of(None, {"TIC ID": "1"}) == (None, ())


def test_a_flood_of_rows_is_bounded_and_told() -> None:
    _, sentences = of(None, *({"Teff (K)": str(5400 + 1000 * number)} for number in range(101)))
    assert sentences[0] == "There are 101 rows on TIC 365938305; the first 100 were looked at."
    assert len(sentences) == 2


def test_nothing_known_is_none() -> None:
    assert of(None) == (None, ())
    assert of(toi_table()) == (None, ())
    assert of(toi_table(dict.fromkeys((name for name in TOI_ROW if name.strip().startswith("Stellar")), ""))) == (
        None,
        (),
    )


cell = st.one_of(st.sampled_from(["", "0", "-1", "1e308", "nan", "5400", "4.5", "0.9"]), st.text(max_size=8))
hostile = st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(STELLAR_ROW, cell)), max_size=5)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(rows=hostile)
def test_any_table_gives_values_of_its_rows_or_none(rows: list[dict[str, str]]) -> None:
    star, sentences = of(None, *rows)
    given_texts = {float(text) for row in rows for text in {**STELLAR_ROW, **row}.values() if _is_number(text)}
    assert star is None or {value for value in vars(star).values() if value is not None} <= given_texts
    assert all(sentence.endswith(".") for sentence in sentences)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
