"""The real tables, target and notes beside the checkout: no row is lost."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from btv_report.answer_states import AnswerState
from btv_report.exofop.tables.cells import number
from btv_report.exofop.tables.notes import readable_text
from btv_report.exofop.tables.reading import TableError, read_table
from btv_report.exofop.tables.target_json import read_target_json

pytestmark = pytest.mark.data

TABLES = [
    ("toi", "TOI_list_star_params_2020-10.txt", 2375, 0),
    ("toi", "TOIs_chronos_2023.csv", 6153, 0),
    ("toi", "TOIs_quicklook_2024-10.csv", 7241, 0),
    ("toi", "exofop_data_tess-atlas_2025-10.csv", 7710, 5),
    ("toi", "toi103_tic_data.csv", 1, 3),
    ("ctoi", "CTOIs_chronos_2023.csv", 1945, 1),
    ("spect", "tfop_sg2_spec_table.csv", 15295, 0),
    ("stellarcomp", "exofop_stellarcomp.psv", 6816, 0),
]
"""Table, file, rows, and columns that ExoFOP has not (their publishers added them)."""


@pytest.fixture(scope="module")
def exofop_data() -> Path:
    folder = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "exofop"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) are not beside this checkout")
    return folder


@pytest.mark.parametrize(("name", "file", "n_rows", "n_new"), TABLES)
def test_every_row_of_a_real_table_is_kept_cell_by_cell(
    exofop_data: Path, name: str, file: str, n_rows: int, n_new: int
) -> None:
    content = (exofop_data / "tables" / file).read_bytes()
    table = read_table(content, name)
    assert (len(table.rows), table.rejected) == (n_rows, ())
    if file.endswith(".psv"):
        other = [line.split("|") for line in content.decode().splitlines() if line]
    else:
        other = list(csv.reader(content.decode().splitlines(keepends=True)))
    assert [list(table.columns), *map(list, table.rows)] == other
    assert len(table.notes) == (1 if n_new else 0)
    assert sum(note.count("', '") + 1 for note in table.notes) == n_new


def test_f039_zero_and_missing_periods_are_told_apart(exofop_data: Path) -> None:
    content = (exofop_data / "tables" / "exofop_data_tess-atlas_2025-10.csv").read_bytes()
    periods = [number(row["Period (days)"]) for row in read_table(content, "toi").records()]
    assert sum(not period for period in periods) == 107


@pytest.mark.parametrize("file", ["TOI_list_tev_2020-10.txt", "nexsci_TOI_2026.07.23.csv"])
def test_tables_of_other_publishers_are_refused_with_their_first_words(exofop_data: Path, file: str) -> None:
    with pytest.raises(
        TableError, match=r"has no column TIC ID .* in its first line \('# This? ?|TESS Object"
    ) as caught:
        read_table((exofop_data / "tables" / file).read_bytes(), "toi")
    assert caught.value.state is AnswerState.CORRUPT


def test_the_real_target_is_read_whole(exofop_data: Path) -> None:
    page = read_target_json((exofop_data / "target_json" / "tic38877496_target.json").read_bytes(), 38877496)
    assert page.aliases == {
        "2mass": "2MASS J04364134-6254539",
        "apass": "APASS 29814938",
        "gaia_dr2": "Gaia DR2 4677014433801899392",
        "gaia_dr3": "Gaia DR3 4677014433801899392",
        "tyc": "TYC 8880-00468-1",
        "ucac4": "UCAC4 136-004337",
        "wise": "WISE J043641.29-625453.5",
    }
    empty = dict.fromkeys(("filelist", "toi", "ctoi", "imaging", "spect", "tseries", "stellarcomp", "planet"), 0)
    assert page.counts == {**empty, "stellar": 1}
    assert (page.tois, page.files, page.rejected_files) == ((), (), ())


def test_real_notes_keep_every_word_and_are_no_tables(exofop_data: Path) -> None:
    paths = sorted((exofop_data / "notes").iterdir())
    assert len(paths) == 2
    for path in paths:
        assert readable_text(path.read_text(encoding="utf-8")).split() == path.read_text(encoding="utf-8").split()
        with pytest.raises(TableError):
            read_table(path.read_bytes(), "obsnotes")
