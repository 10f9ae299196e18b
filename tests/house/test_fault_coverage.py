"""What counts as a test of a row of the catalogue of faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.house import fault_coverage
from tests.house.fault_coverage import SECTIONS, coverage, report, rows_named

CATALOGUE = Path(__file__).resolve().parents[2].parent / "shared" / "failures.md"


def test_the_sections_hold_146_rows_and_none_twice() -> None:
    numbers = [number for rows in SECTIONS.values() for number in rows]
    assert len(numbers) == len(set(numbers)) == 146


def test_the_sections_are_those_of_the_catalogue() -> None:
    if not CATALOGUE.is_file():
        pytest.skip("the catalogue of faults is not beside this checkout (../shared/failures.md)")
    parts = re.split(r"^### (2\.\d) ", CATALOGUE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    listed = {
        section: [int(number) for number in re.findall(r"^\| F-(\d{3}) \|", text, flags=re.MULTILINE)]
        for section, text in zip(parts[1::2], parts[2::2], strict=True)
    }
    assert listed == {section.split()[0]: list(rows) for section, rows in SECTIONS.items()}


@pytest.mark.parametrize(
    ("node_id", "rows"),
    [
        ("tests/a/test_b.py::test_f031_a_pipe_in_a_note", {31}),
        ("tests/a/test_b.py::TestNotes::test_f031_a_pipe_in_a_note", {31}),
        ("tests/a/test_b.py::test_f013_f092_two_rows_at_once[curve.dat]", {13, 92}),
        ("tests/a/test_b.py::test_faults[F-070-slip::up]", {70}),
        ("tests/a/test_b.py::test_faults[unsafe-f071]", {71}),
        ("tests/a/test_b.py::test_faults[x-F072]", {72}),
        ("tests/f031/test_f032.py::test_nothing", set()),
        ("tests/a/test_b.py::test_f0311_is_too_long", set()),
        ("tests/a/test_b.py::test_f999_stands_in_no_section", set()),
        ("tests/a/test_b.py::test_f028_stands_between_two_sections", set()),
        ("tests/a/test_b.py::test_filter[f140w]", set()),
        ("tests/a/test_b.py::test_digest[a1f031]", set()),
        ("tests/a/test_b.py::test_f031b_has_a_letter_after_it", set()),
    ],
    ids=range(13),
)
def test_a_row_is_named_by_function_or_parameter(node_id: str, rows: set[int]) -> None:
    assert rows_named(node_id) == rows


def test_each_section_is_counted_and_missing_rows_are_listed() -> None:
    ids = [f"t.py::test_f{number:03}_x" for number in range(1, 166) if number not in {31, 84}] * 2
    covered = coverage(ids)
    assert covered["2.1 network and HTTP"] == (27, [])
    assert covered["2.2 ExoFOP content"] == (19, [31])
    assert covered["2.4 archives, files, names"] == (14, [84])
    lines = report(covered).splitlines()
    assert len(lines) == 8
    assert lines[1].split() == ["2.2", "ExoFOP", "content", "19", "of", "20", "missing:", "F-031"]
    assert lines[-1].split() == ["all", "144", "of", "146"]


def test_without_tests_everything_is_missing() -> None:
    assert report(coverage([])).splitlines()[-1].split() == ["all", "0", "of", "146"]


def test_files_that_cannot_be_read_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fault_coverage, "collected", lambda: (["t.py::test_f001_x"], "ERROR tests/broken.py"))
    assert fault_coverage.main() == 1
    printed = capsys.readouterr()
    assert "  1 of  27   missing: F-002" in printed.out
    assert "tests/broken.py" in printed.err


def test_tests_are_listed_as_pytest_lists_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "test_good.py").write_text(
        "import pytest\n@pytest.mark.parametrize('x', ['F-030'])\ndef test_it(x): ...\n"
    )
    (tmp_path / "test_bad.py").write_text("import no_such_module\n")
    monkeypatch.setattr(fault_coverage, "ROOT", tmp_path)
    node_ids, problems = fault_coverage.collected()
    assert node_ids == ["test_good.py::test_it[F-030]"]
    assert problems.startswith("ERROR test_bad.py")
