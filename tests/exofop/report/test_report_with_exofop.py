"""A report that asks ExoFOP: whose ephemeris is used, what is shown, and what becomes of it when ExoFOP does not answer."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.doubles.command import Ran, Run
from tests.doubles.exofop_double import ExoFopDouble
from tests.doubles.exofop_kit import TOI_1262_01
from tests.doubles.exofop_toi_1262 import TIC_ID
from tests.doubles.mast_double import MastDouble
from tests.doubles.scripted_server import Reply

GIVEN = ("--period", "5.5", "--epoch", "3322.0", "--duration", "2.0")


def record_of(ran: Ran, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "workspace" / "runs" / str(TIC_ID) / f"{ran.answer['run_id']}.json"
    content = json.loads(path.read_bytes())
    assert isinstance(content, dict)
    return content


def page_of(ran: Ran, tmp_path: Path) -> str:
    return (tmp_path / "workspace" / str(ran.answer["page"])).read_text(encoding="utf-8")


def states(ran: Ran, tmp_path: Path) -> dict[str, str]:
    return {item["endpoint"]: item["state"] for item in record_of(ran, tmp_path)["answers"]}


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Any:
    def guard() -> None:
        def fail(*_: object, **__: object) -> None:
            pytest.fail("a socket was opened")

        monkeypatch.setattr(socket.socket, "connect", fail)
        monkeypatch.setattr(socket, "getaddrinfo", fail)

    return guard


def test_toi_rows_are_the_candidates_where_no_ephemeris_is_given(run: Run, tmp_path: Path) -> None:
    ran = run("--json")
    assert (ran.code, ran.answer["status"]) == (0, "complete")
    (candidate,) = ran.answer["candidates"]
    assert (candidate["name"], candidate["source"]) == ("1262.01", "exofop_toi")
    assert candidate["period_days"] == pytest.approx(20.8774413, abs=1e-12)
    assert candidate["epoch_btjd"] == pytest.approx(3322.358008, abs=1e-8)
    assert candidate["duration_hours"] == pytest.approx(3.562, abs=1e-12)
    assert {row["sector"] for row in ran.answer["transits"] if row["used"]} == {20}
    assert {row["candidate"] for row in ran.answer["checks"]} == {"1262.01"}
    assert ran.answer["exofop"]["state"] == "OK"
    assert ran.answer["exofop"]["n_files"] == 6
    assert Path(ran.answer["exofop"]["manifest"]).is_file()
    page = page_of(ran, tmp_path)
    for words in ("1262.01", "562_sensitivity.dat", "ingress 5 min late | egress on time", "No secondary lines"):
        assert words in page
    assert "observer@example.org" not in page
    assert str(tmp_path) not in page


def test_every_toi_row_of_the_star_is_a_candidate(run: Run, exofop: ExoFopDouble) -> None:
    second = {**TOI_1262_01, "TOI": "1262.02", "Period (days)": "7.25", "Epoch (BJD)": "2460320.1"}
    without = {**TOI_1262_01, "TOI": "1262.03", "Period (days)": "0", "Duration (hours)": "0"}
    exofop.add_rows(TIC_ID, "toi", [second, without])
    ran = run("--json")
    assert [candidate["name"] for candidate in ran.answer["candidates"]] == ["1262.01", "1262.02"]
    assert {row["candidate"] for row in ran.answer["checks"]} == {"1262.01", "1262.02"}


def test_f039_row_without_a_period_is_shown_with_the_reason(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    without = {**TOI_1262_01, "TOI": "1262.03", "Period (days)": "0"}
    exofop.add_rows(TIC_ID, "toi", [without])
    candidates = record_of(run("--json"), tmp_path)["exofop"]["candidates"]
    (value,) = [value for value in candidates if value["name"] == "1262.03"]
    assert value["used"] is False
    assert "period not given" in value["reason"].casefold()


def test_given_ephemeris_replaces_those_of_exofop(run: Run, tmp_path: Path) -> None:
    ran = run(*GIVEN, "--json")
    (candidate,) = ran.answer["candidates"]
    assert (candidate["name"], candidate["source"], candidate["period_days"]) == ("user", "user", 5.5)
    assert {row["candidate"] for row in ran.answer["checks"]} == {"user"}
    candidates = record_of(ran, tmp_path)["exofop"]["candidates"]
    assert not any(value["used"] for value in candidates)
    assert any(value["name"] == "1262.01" and "was given" in value["reason"] for value in candidates)


def test_exofop_that_is_left_out_is_not_asked(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    ran = run("--no-exofop", "--json")
    assert (ran.code, ran.answer["candidates"]) == (0, [])
    assert ran.answer["exofop"]["state"] == "SKIPPED"
    assert exofop.n_connections == 0
    assert "--no-exofop" in page_of(ran, tmp_path)


def test_second_run_and_offline_run_open_no_connection_and_say_the_same(
    run: Run, exofop: ExoFopDouble, mast: MastDouble, refuse: Any
) -> None:
    first = run("--json")
    before = (exofop.n_connections, mast.n_connections)
    refuse()
    for more in ((), ("--offline",)):
        again = run(*more, "--json")
        assert again.code == 0
        assert again.answer["candidates"] == first.answer["candidates"]
        assert again.answer["exofop"] == first.answer["exofop"]
        assert again.answer["checks"] == first.answer["checks"]
    assert (exofop.n_connections, mast.n_connections) == before


def test_offline_run_with_exofop_never_asked_says_that_nothing_is_known(
    run: Run, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    run("--no-exofop")
    ran = run("--offline", "--json")
    assert ran.code == 0
    assert (ran.answer["exofop"]["state"], ran.answer["exofop"]["n_files"]) == ("SKIPPED", 0)
    assert ran.answer["candidates"] == []
    assert exofop.n_connections == 0
    page = page_of(ran, tmp_path)
    assert "ExoFOP was not asked (--offline)" in page
    assert "unknown" in page


DOWN = {
    "no byte": Reply(b""),
    "service down": Reply(status=503),
    "web pages": Reply(b"<html><body>maintenance</body></html>"),
    "missing": Reply(status=404),
}


@pytest.mark.parametrize("fault", DOWN)
def test_exofop_that_is_down_leaves_a_gap_and_nothing_is_said_to_be_empty(
    run: Run, exofop: ExoFopDouble, tmp_path: Path, fault: str
) -> None:
    exofop.server.play("GET", ".*", DOWN[fault])
    ran = run("--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert ran.answer["exofop"]["state"] not in {"OK", "EMPTY", "NOT_FOUND", "SKIPPED"}
    assert ran.answer["exofop"]["n_files"] == 0
    assert ran.answer["candidates"] == []
    assert {product["kind"] for product in ran.answer["products"]} == {"light_curve", "target_pixel_file"}
    of_exofop = {name: state for name, state in states(ran, tmp_path).items() if "php" in name}
    assert of_exofop
    assert not {"OK", "EMPTY", "NOT_FOUND"} & set(of_exofop.values())
    page = page_of(ran, tmp_path)
    assert "ExoFOP gave no usable answer" in page


def test_exofop_that_was_down_is_asked_again_by_the_next_run(run: Run, exofop: ExoFopDouble) -> None:
    exofop.server.play("GET", ".*", Reply(status=404))
    assert run("--json").code == 3
    exofop.server.play("GET", "/tess/.*", exofop.answer)
    assert run("--json").code == 0


def test_f003_exofop_that_nobody_reaches_leaves_a_gap(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BTV_REPORT_EXOFOP_URL", "http://127.0.0.1:9")
    ran = run(*GIVEN, "--json")
    assert (ran.code, ran.answer["exofop"]["state"]) == (3, "UNREACHABLE")
    assert {row["candidate"] for row in ran.answer["checks"]} == {"user"}


def test_one_service_that_fails_is_named_and_the_rest_is_used(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    exofop.play("download_obsnotes.php", Reply(b""))
    ran = run("--json")
    assert (ran.code, ran.answer["exofop"]["state"]) == (3, "OK")
    assert [candidate["name"] for candidate in ran.answer["candidates"]] == ["1262.01"]
    named = {name: state for name, state in states(ran, tmp_path).items() if "obsnotes" in name}
    assert set(named.values()) == {"THROTTLED"}
    assert "download_obsnotes.php" in page_of(ran, tmp_path)


def test_f030_list_of_files_that_was_not_had_is_not_said_to_be_empty(
    run: Run, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    del exofop.stars[TIC_ID].files[:]
    exofop.play("download_filelist.php", Reply(b""))
    ran = run("--json")
    assert (ran.code, ran.answer["exofop"]["state"]) == (3, "OK")
    assert "n_listed" not in ran.answer["exofop"]
    assert "Which files ExoFOP has of this star is not known from this run" in page_of(ran, tmp_path)
    assert "0 public files" not in page_of(ran, tmp_path)
    assert json.loads(Path(ran.answer["exofop"]["manifest"]).read_bytes())["filelist"] == {"path": "filelist.csv"}
    exofop.play("download_filelist.php", exofop.answer)
    again = run("--json")
    assert (again.code, again.answer["exofop"]["n_listed"]) == (0, 0)
    assert "0 public files" in page_of(again, tmp_path)


def test_refresh_that_fails_keeps_the_candidates_and_is_a_gap(run: Run, exofop: ExoFopDouble) -> None:
    first = run("--json")
    exofop.server.play("GET", ".*", Reply(b""))
    ran = run("--refresh", "--json")
    assert ran.code == 3
    assert ran.answer["candidates"] == first.answer["candidates"]
    assert (ran.answer["exofop"]["state"], ran.answer["exofop"]["n_files"]) == ("OK", 6)


def test_f042_file_that_exofop_replaced_is_told(run: Run, exofop: ExoFopDouble) -> None:
    run("--json")
    exofop.remove_file(441896)
    exofop.add_file(TIC_ID, "TIC365938305-01_notes.txt", b"Clouds after all.\n", file_id=441896)
    ran = run("--refresh", "--json")
    assert ran.code == 0
    assert any("ExoFOP has replaced file 441896" in warning for warning in ran.answer["warnings"])


def test_f044_star_that_exofop_does_not_know_is_no_gap(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    del exofop.stars[TIC_ID]
    ran = run("--json")
    assert (ran.code, ran.answer["exofop"]["state"]) == (0, "NOT_FOUND")
    assert ran.answer["candidates"] == []


def test_star_without_uploads_is_complete(run: Run, exofop: ExoFopDouble) -> None:
    exofop.add_target(TIC_ID)
    ran = run("--json")
    assert (ran.code, ran.answer["status"], ran.answer["exofop"]["n_files"]) == (0, "complete", 0)
    assert ran.answer["candidates"] == []


def test_dry_run_asks_exofop_nothing_and_writes_nothing(run: Run, exofop: ExoFopDouble, tmp_path: Path) -> None:
    assert run("--dry-run").code == 0
    assert exofop.n_connections == 0
    assert not (tmp_path / "workspace").exists()


def test_manifest_of_the_cache_that_is_damaged_is_no_empty_exofop_offline(
    run: Run, exofop: ExoFopDouble, tmp_path: Path
) -> None:
    manifest = Path(run("--json").answer["exofop"]["manifest"])
    manifest.write_bytes(b"{")
    ran = run("--offline", "--json")
    assert ran.answer["exofop"]["state"] == "SKIPPED"
    assert any("manifest" in warning for warning in ran.answer["warnings"])
    assert manifest.read_bytes() == b"{"
    again = run("--json")
    assert (again.code, again.answer["exofop"]["n_files"]) == (0, 6)


def test_what_exofop_has_is_read_folded_and_compared(run: Run, tmp_path: Path) -> None:
    values = record_of(run("--json"), tmp_path)["exofop"]
    (curve,) = values["light_curves"]
    assert (curve["candidate"], curve["time_system"], curve["transit_number"]) == ("1262.01", "BJD_TDB", 0)
    assert min(curve["hours_from_mid"]) < -1 < 1 < max(curve["hours_from_mid"])
    (contrast,) = values["contrast_curves"]
    assert contrast["file_id"] == 441891
    assert len(values["notes"]) == 3
    assert {table["name"] for table in values["tables"]} >= {"imaging", "spect", "stellar", "planet", "toi"}
    assert any("14" in words and "74" in words for words in values["disagreements"])  # sectors that MAST does not list


def test_f013_table_whose_bytes_have_changed_is_a_gap_and_a_warning_offline(run: Run) -> None:
    manifest = Path(run("--json").answer["exofop"]["manifest"])
    table = manifest.parent / "summaries" / "toi.csv"
    table.write_bytes(table.read_bytes().replace(b"20.87", b"20.97"))
    ran = run("--offline", "--json")
    assert (ran.code, ran.answer["status"]) == (3, "gaps")
    assert any("summaries/toi.csv" in words and "sha256" in words for words in ran.answer["warnings"])
    again = run("--json")
    assert (again.code, [candidate["name"] for candidate in again.answer["candidates"]]) == (0, ["1262.01"])
