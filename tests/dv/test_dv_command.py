"""`btv-report dv`: a line for every difference image and for every file, and the worst exit code."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from btv_report.cli.main import cli

DvXml = Callable[..., bytes]


def dv(*words: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["dv", *map(str, words)], prog_name="btv-report")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def lines_of(stdout: str) -> list[dict[str, Any]]:
    return [
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON")) for line in stdout.splitlines()
    ]


@pytest.fixture
def report(tmp_path: Path, dv_xml: DvXml) -> Path:
    path = tmp_path / "good_dvr.xml"
    path.write_bytes(dv_xml(source=(5.6, 5.1)))
    return path


def test_one_object_a_line_as_the_contract_says(report: Path) -> None:
    code, stdout, stderr = dv(report, "--json")
    (line,) = lines_of(stdout)
    assert (code, stderr) == (0, "")
    assert (line["schema_version"], line["file"], line["tic_id"]) == (1, "good_dvr.xml", 307210830)
    assert (line["planet_number"], line["sector"], line["status"]) == (1, 2, "ok")
    for side in ("spoc", "ours"):
        assert {"row", "column", "row_err", "column_err", "quality", "tic_offset_arcsec"} <= set(line[side])
    assert line["ours"]["row"] == pytest.approx(line["spoc"]["row"], abs=0.02)
    assert line["distance_px"] == pytest.approx(0.0, abs=0.02)
    assert line["prf"]["kind"] == "gaussian"


def test_a_reader_gets_a_table_and_a_line_on_agreement(report: Path) -> None:
    code, stdout, _ = dv(report)
    assert code == 0
    head, row, last = stdout.splitlines()
    assert head.split()[:3] == ["TIC", "pl", "sector"]
    assert row.split()[:3] == ["307210830", "1", "2"]
    assert last.startswith("1 difference image. Of the 1 judged ones")


def test_with_several_files_each_ones_rows_stand_below_its_name(report: Path, tmp_path: Path, dv_xml: DvXml) -> None:
    other = tmp_path / "other_dvr.xml"
    other.write_bytes(report.read_bytes())
    _, stdout, _ = dv(report, other)
    lines = stdout.splitlines()
    assert [lines[1], lines[3]] == ["good_dvr.xml", "other_dvr.xml"]
    assert lines[2] == lines[4]
    assert lines[2].split()[:3] == ["307210830", "1", "2"]


def test_every_file_has_its_line_and_the_worst_decides(report: Path, tmp_path: Path, dv_xml: DvXml) -> None:
    damaged, refused = tmp_path / "cut_dvr.xml", tmp_path / "bomb_dvr.xml"
    damaged.write_bytes(dv_xml()[:5000])
    refused.write_bytes(b'<!DOCTYPE x [<!ENTITY a "b">]><dvTargetResults ticId="1">&a;</dvTargetResults>')
    code, stdout, stderr = dv(damaged, report, refused, tmp_path, tmp_path / "absent.xml", "--json")
    lines = lines_of(stdout)
    assert [line["status"] for line in lines] == ["corrupt", "ok", "rejected", "unreadable", "unreadable"]
    assert all("file" in line and line["error"].endswith(".") for line in lines if line["status"] != "ok")
    assert code == 5
    assert stderr.count("Error: ") == 4
    assert dv(refused)[0] == 4
    assert dv(tmp_path)[0] == 2


def test_patterns_and_gzip_are_taken(report: Path, tmp_path: Path) -> None:
    (tmp_path / "packed_dvr.xml.gz").write_bytes(gzip.compress(report.read_bytes()))
    code, stdout, _ = dv(tmp_path / "*_dvr.xml*", "--json")
    assert code == 0
    assert [line["file"] for line in lines_of(stdout)] == ["good_dvr.xml", "packed_dvr.xml.gz"]
    assert dv(tmp_path / "*.nothing")[0] == 2


def test_a_report_without_images_says_so(tmp_path: Path) -> None:
    path = tmp_path / "none_dvr.xml"
    path.write_text('<dvTargetResults ticId="5"/>')
    code, stdout, _ = dv(path, "--json")
    assert (code, lines_of(stdout)[0]["status"]) == (0, "not_run")
    assert dv(path)[1].strip() == "No difference image was found."


def test_a_prf_folder_that_is_none_is_a_usage_error(report: Path, tmp_path: Path) -> None:
    code, _, stderr = dv(report, "--prf", tmp_path / "absent")
    assert code == 2
    assert "absent" in stderr


@pytest.mark.data
def test_real_reports_agree_with_spoc_and_judge_no_saturated_star(shared_data: Path) -> None:
    code, stdout, _ = dv(shared_data / "dv" / "*_dvr.xml", "--prf", shared_data / "prf", "--json")
    lines = lines_of(stdout)
    assert (code, len(lines)) == (0, 44)
    (saturated,) = [line for line in lines if line["tic_id"] == 144048277]
    assert (saturated["status"], saturated["saturated"]) == ("not_run", True)
    assert saturated["distance_px"] <= 0.25
    good = sorted(line["distance_px"] for line in lines if line["status"] == "ok" and line["spoc"]["quality"] >= 0.9)
    assert good[len(good) // 2] <= 0.08
    assert good[-1] <= 0.30
    own = [line for line in lines if line["camera"] == 4 and line["ccd"] == 1]
    assert max(line["distance_px"] for line in own) <= 0.10
