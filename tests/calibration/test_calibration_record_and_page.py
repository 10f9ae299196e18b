"""The record, the terminal and the page say the same numbers; other methods, few trials and damage are said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from btv_report.calibration.record import (
    RELEASE_FILE,
    CalibrationRecord,
    make_record,
    read_record,
    record_bytes,
)
from btv_report.calibration.registry import TABLES
from btv_report.calibration.run import calibrate
from btv_report.calibration.table import Column, Rate, Row, Table
from btv_report.calibration.trials import Effort
from btv_report.checks.thresholds import METHOD_VERSION
from btv_report.cli.main import cli
from btv_report.dossier.calibration import build_calibration, table_text
from btv_report.errors import IntegrityError, UsageError
from btv_report.render.pages import site_files
from btv_report.render.site import build_site
from btv_report.render.verify import verify_site

COLUMNS = (Column("case", "Case"), Column("found", "Found"), Column("offset", "Offset", "px"), Column("n", "Trials"))


def truth_table(**changes: Any) -> Table:
    rows = (
        Row({"case": "near <b>", "found": Rate(7, 1000), "offset": 0.0312345678, "n": 1000}, met=True),
        Row({"case": "far", "found": Rate(0, 0), "offset": None, "n": 0}, met=None),
        Row({"case": "wrong", "found": Rate(31, 50), "offset": 0.5, "n": 50}, met=False),
    )
    parts = {
        "key": "false-alarms",
        "title": "A truth table",
        "asked": "Little.",
        "method": "By hand.",
        "columns": COLUMNS,
        "rows": rows,
        "samples": {
            "p_histograms": {"one": [1, 2, 3, 4], "none": [0, 0, 0, 0]},
            "curve": [{"distance_px": 1.0, "depth_ppm": [100.0, 1000.0], "found": [0.1, None]}],
            "files": [{"file": "real_tp.fits", "sha256": "ab" * 32}],
        },
    }
    return Table(**(parts | changes))


@pytest.fixture
def record() -> CalibrationRecord:
    return make_record([truth_table()], 1.0)


def test_record_reads_back_as_it_was_written(record: CalibrationRecord, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(record_bytes(record))
    assert read_record(path) == record
    assert record_bytes(read_record(path)) == record_bytes(record)


def test_record_keeps_counts_and_leaves_out_what_was_not_measured(record: CalibrationRecord) -> None:
    near, far, wrong = (row["values"] for row in record["tables"][0]["rows"])
    assert (near["found"]["count"], near["found"]["total"]) == (7, 1000)
    assert near["found"]["low"] < 0.007 < near["found"]["high"]
    assert "offset" not in far
    assert "met" not in record["tables"][0]["rows"][1]
    assert wrong["offset"] == 0.5
    assert record["files"] == [{"file": "real_tp.fits", "sha256": "ab" * 32}]


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": "other"}', b'{"format": "btv-report calibration"}'])
def test_a_file_that_is_no_record_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"calibration\.json"):
        read_record(path)


def test_page_and_terminal_show_every_number_of_the_record(record: CalibrationRecord, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(record_bytes(record))
    files = site_files([], None, path)
    page = files["methods/calibration/index.html"].decode()
    assert json.loads(files["methods/calibration/calibration.json"]) == record
    for text in (page, table_text(record["tables"][0], 1.0)):
        for row in record["tables"][0]["rows"]:
            counts = row["values"]["found"]
            if counts["total"]:
                assert f"{counts['count']:,d}/{counts['total']:,d}" in text
        assert "0.0312" in text
        assert "not met" in text
    assert "near &lt;b&gt;" in page
    assert page.count("<svg") == 2


def test_other_methods_few_trials_and_missing_tables_are_said(record: CalibrationRecord) -> None:
    record["method_version"] = "pixel-checks-0"
    record["effort_share"] = 0.05
    said = " ".join(build_calibration(record).warnings)
    assert "pixel-checks-0" in said
    assert METHOD_VERSION in said
    assert "5 %" in said
    assert "power" in said


def test_few_trials_do_not_promise_what_a_release_would(record: CalibrationRecord) -> None:
    table = dict(record["tables"][0], met=True)
    assert table_text(table, 1.0).splitlines()[0].endswith(": met")
    assert table_text(table, 0.05).splitlines()[0].endswith(": open")
    assert table_text(dict(table, met=False), 0.05).splitlines()[0].endswith(": not met")


def test_table_without_rows_says_why() -> None:
    record = make_record([truth_table(rows=(), missing="These numbers need real pixels.", samples={})], 1.0)
    page = build_calibration(record)
    assert page.sections[0].missing == "These numbers need real pixels."
    assert page.finding == "0 of 1 truth table met, 1 open."
    assert "These numbers need real pixels." in table_text(record["tables"][0], 1.0)


def test_site_shows_the_release_unless_it_is_given_another(record: CalibrationRecord, tmp_path: Path) -> None:
    own = tmp_path / "calibration.json"
    own.write_bytes(record_bytes(record))
    shown = "methods/calibration/calibration.json"
    build_site((), tmp_path / "site", ledger_head=None)
    assert (tmp_path / "site" / shown).read_bytes() == RELEASE_FILE.read_bytes()
    assert verify_site(tmp_path / "site") == []
    build_site((), tmp_path / "site", ledger_head=None, calibration=own)
    assert (tmp_path / "site" / shown).read_bytes() == own.read_bytes()
    assert verify_site(tmp_path / "site") == []


def test_registered_tables_are_made_in_order_and_unknown_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btv_report.calibration.run.table_maker", lambda key: lambda effort, data: truth_table(key=key))
    told: list[str] = []
    made = calibrate(Effort(), None, ("power", "false-alarms"), told.append)
    assert [table.key for table in made] == ["false-alarms", "power"]
    assert told == ["table false-alarms", "table power"]
    with pytest.raises(UsageError, match="no truth table called phantoms"):
        calibrate(Effort(), None, ("phantoms",))


@pytest.fixture
def tables_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is made at once, and says the same."""
    monkeypatch.setattr("btv_report.calibration.run.table_maker", lambda key: lambda effort, data: truth_table(key=key))


@pytest.mark.usefixtures("tables_by_hand")
def test_command_prints_records_and_renders(tmp_path: Path) -> None:
    place = tmp_path / "w"
    command = ["calibrate", "--workspace", str(place), "-q"]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0
    assert "[power]: not met" in result.stdout
    assert f"0 of {len(TABLES)} truth tables met, {len(TABLES)} not met." in result.stdout
    assert f"written to {place / 'site' / 'methods' / 'calibration' / 'index.html'}" in result.stderr
    assert "near &lt;b&gt;" in (place / "site" / "methods" / "calibration" / "index.html").read_text()
    as_json = CliRunner().invoke(cli, [*command, "--json"])
    assert as_json.stdout.encode() == (place / "calibration.json").read_bytes()
    assert json.loads(as_json.stdout)["method_version"] == METHOD_VERSION
    verified = CliRunner().invoke(cli, ["verify", "--workspace", str(place)])
    assert verified.exit_code == 0, verified.stdout


@pytest.mark.usefixtures("tables_by_hand")
def test_some_tables_do_not_replace_a_record_that_holds_more(tmp_path: Path) -> None:
    kept = record_bytes(make_record([truth_table(key="power"), truth_table(key="ghost")], 1.0))
    (tmp_path / "calibration.json").write_bytes(kept)
    result = CliRunner().invoke(cli, ["calibrate", "--table", "power", "--workspace", str(tmp_path), "-q"])
    assert result.exit_code == 0
    assert "also holds ghost" in result.stderr
    assert "Give --output FILE" in result.stderr
    assert "written to" not in result.stderr
    assert "[power]: not met" in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["calibration.json"]
    assert (tmp_path / "calibration.json").read_bytes() == kept


@pytest.mark.usefixtures("tables_by_hand")
def test_some_tables_do_not_take_the_tables_of_the_release_from_the_site(tmp_path: Path) -> None:
    place = tmp_path / "w"
    result = CliRunner().invoke(cli, ["calibrate", "--table", "power", "--workspace", str(place), "--json", "-q"])
    assert result.exit_code == 0
    assert "the record of this release" in result.stderr
    assert [table["key"] for table in json.loads(result.stdout)["tables"]] == ["power"]
    assert not place.exists()


@pytest.mark.usefixtures("tables_by_hand")
def test_all_tables_and_more_tables_replace_a_record(tmp_path: Path) -> None:
    own = tmp_path / "calibration.json"
    own.write_bytes(record_bytes(make_record([truth_table(key="power")], 1.0)))
    for words, n_tables in ((["--table", "power", "--table", "ghost"], 2), ([], len(TABLES))):
        result = CliRunner().invoke(cli, ["calibrate", *words, "--workspace", str(tmp_path), "-q"])
        assert "written to" in result.stderr
        assert len(read_record(own)["tables"]) == n_tables


def test_output_writes_the_record_and_no_page(tmp_path: Path) -> None:
    target = tmp_path / "made" / "release.json"
    result = CliRunner().invoke(cli, ["calibrate", "--table", "power", "--output", str(target), "-q"])
    assert result.exit_code == 0
    assert read_record(target)["effort_share"] == 1.0
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["made", "release.json"]


def test_unknown_table_and_folder_are_usage_errors(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["calibrate", "--table", "phantoms"]).exit_code == 2
    assert CliRunner().invoke(cli, ["calibrate", "--data", str(tmp_path / "none")]).exit_code == 2


def test_shipped_record_names_no_folder_and_can_be_shown() -> None:
    record = read_record(RELEASE_FILE)
    assert RELEASE_FILE.read_bytes() == record_bytes(record)
    assert not re.search(r"/(root|home|work)/", RELEASE_FILE.read_text())
    assert build_calibration(record).sections


def test_release_holds_every_table_of_this_method_in_full() -> None:
    release = read_record(RELEASE_FILE)
    assert release["method_version"] == METHOD_VERSION
    assert release["effort_share"] == 1
    assert [table["key"] for table in release["tables"]] == list(TABLES)
    assert all(table["rows"] for table in release["tables"])
    assert not build_calibration(release).warnings
