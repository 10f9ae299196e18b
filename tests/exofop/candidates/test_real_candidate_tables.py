"""The real TOI and CTOI tables: every row used, or not with a true reason."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from btv_report.exofop.candidates.choosing import candidates_of
from btv_report.exofop.candidates.stellar import stellar_of
from btv_report.exofop.types import ExoFopTable

TABLES = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "exofop" / "tables"
NOT_GIVEN, IN_DOUBT, NO_BJD = "not given", "unit is in doubt", "is no BJD"
pytestmark = pytest.mark.data


@cache
def read(name: str, kind: str) -> dict[int, ExoFopTable]:
    """One table a star, by a reader that has nothing in common with the shipped one."""
    if not TABLES.is_dir():
        pytest.skip("the real tables are not beside this checkout (../shared/data/exofop)")
    with (TABLES / name).open(encoding="utf-8", errors="replace", newline="") as file:
        header, *rows = list(csv.reader(file))
    stars: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for row in rows:
        stars[int(row[header.index("TIC ID")])].append(tuple(row))
    return {tic_id: ExoFopTable(kind, tuple(header), tuple(found)) for tic_id, found in stars.items()}


def positive(text: str) -> bool:
    return bool(text) and float(text) > 0


@pytest.mark.parametrize(
    ("name", "n_rows", "n_used", "n_in_doubt"),
    [
        ("exofop_data_tess-atlas_2025-10.csv", 7710, 7601, 2),
        ("TOI_list_star_params_2020-10.txt", 2375, 2307, 2),
        ("toi103_tic_data.csv", 1, 1, 0),
    ],
)
def test_f039_every_toi_is_a_candidate_or_has_no_period(name: str, n_rows: int, n_used: int, n_in_doubt: int) -> None:
    reasons: Counter[str] = Counter()
    for tic_id, table in read(name, "toi").items():
        found = candidates_of(tic_id=tic_id, toi=table, planet=None)
        assert len(found.values) == len(table.rows)
        assert found.disagreements == ()  # 7,710 pairs of depths agree within their digits
        by_toi = {record["TOI"]: record for record in table.records()}
        for value in found.values:
            record = by_toi[value["name"]]
            if value["used"]:
                assert value["epoch_btjd"] == pytest.approx(float(record["Epoch (BJD)"]) - 2457000, abs=1e-8)
                assert value["period_days"] == float(record["Period (days)"])
            else:
                assert positive(record["Period (days)"]) is (IN_DOUBT in value["reason"])
            reasons[_kind(value["reason"])] += 1
    assert sum(reasons.values()) == n_rows
    assert reasons == {"": n_used, NOT_GIVEN: n_rows - n_used - n_in_doubt, IN_DOUBT: n_in_doubt} or n_rows == 1


def test_every_ctoi_row_is_accounted_for() -> None:
    reasons: Counter[str] = Counter()
    for tic_id, table in read("CTOIs_chronos_2023.csv", "ctoi").items():
        found = candidates_of(tic_id=tic_id, toi=None, ctoi=table, planet=None)
        assert len(found.values) == len(table.rows)
        reasons.update(_kind(value["reason"]) for value in found.values)
    assert reasons == {"": 974, NOT_GIVEN: 727, IN_DOUBT: 243, NO_BJD: 1}


def test_the_whole_table_gives_the_rows_of_one_star() -> None:
    name = "exofop_data_tess-atlas_2025-10.csv"
    stars = read(name, "toi")
    whole = ExoFopTable(
        "toi", next(iter(stars.values())).columns, tuple(row for one in stars.values() for row in one.rows)
    )
    found = candidates_of(tic_id=307210830, toi=whole, planet=None)
    assert [one.name for one in found.ephemerides] == ["175.01", "175.02", "175.03"]
    assert found.disagreements == ("7,707 rows of the TOI table are of other stars or of none, and were left aside.",)


def test_a_star_with_several_tois_has_parameters_of_one_of_its_rows() -> None:
    told: Counter[bool] = Counter()
    for tic_id, table in read("exofop_data_tess-atlas_2025-10.csv", "toi").items():
        if len(table.rows) == 1:
            continue
        star, sentences = stellar_of(toi=table, stellar=None, tic_id=tic_id)
        radii = {record["Stellar Radius (R_Sun)"] for record in table.records()}
        assert (star.radius_rsun if star else None) in {float(text) if text else None for text in radii}
        told.update("from more than one row" in sentence for sentence in sentences)
    assert told == {True: 3}


def _kind(reason: str) -> str:
    return next((words for words in (NOT_GIVEN, IN_DOUBT, NO_BJD) if re.search(words, reason)), reason)
